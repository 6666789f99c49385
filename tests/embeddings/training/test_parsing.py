"""Drawing training crops, and training a tiny parser end to end."""

import json

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command

from embeddings.garments.classes import GarmentClass, read_named_palette
from embeddings.nets import garment_parser
from embeddings.nets.errors import WeightsRejected
from embeddings.nets.garment_parser import GarmentParser, load_parser, save_parser
from embeddings.nets.parser_runtime import RunningParser
from embeddings.photo_sets import read_photo_set, split_of
from embeddings.training.parsing.drawing import HEIGHT, WIDTH, draw_example
from embeddings.training.parsing.examples import BODY, read_examples
from embeddings.training.parsing.parser_task import parsing_loss
from tests.embeddings.garments.drawn import write_street_photos

TINY = (4, 8, 8, 8, 8)


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    return write_street_photos(tmp_path_factory.mktemp("street"), 24)


def test_a_parse_has_the_photos_size_and_the_stored_parser_gives_it_again(tmp_path):
    torch.manual_seed(0)
    parser = GarmentParser(8, TINY).eval()
    file = tmp_path / "parser.safetensors"
    save_parser(parser, file, {"seed": 0})

    photo = np.random.default_rng(0).integers(0, 256, (100, 60, 3), dtype=np.uint8)
    found = RunningParser(load_parser(file)).probabilities(photo)

    assert found.shape == (8, 224, 134)  # the longer side is 224
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-4)
    assert json.loads(file.with_suffix(".json").read_text())["seed"] == 0


def test_openvino_and_torch_parse_alike(monkeypatch):
    torch.manual_seed(0)
    parser = GarmentParser(8, TINY).eval()
    photo = np.random.default_rng(0).integers(0, 256, (80, 60, 3), dtype=np.uint8)

    fast = RunningParser(parser).probabilities(photo)
    monkeypatch.setattr("embeddings.nets.parser_runtime.find_spec", lambda name: None)
    slow = RunningParser(parser).probabilities(photo)

    np.testing.assert_allclose(fast, slow, atol=1e-3)


def test_a_changed_or_too_large_parser_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "parser.safetensors"
    save_parser(GarmentParser(8, TINY), file, {})
    file.write_bytes(file.read_bytes()[:-1] + b"\1")

    with pytest.raises(WeightsRejected, match=r"rejected: .*parser\.safetensors: it has SHA"):
        load_parser(file)
    monkeypatch.setattr(garment_parser, "LARGEST_FILE", 100)
    with pytest.raises(ValueError, match="takes more than 100 bytes"):
        save_parser(GarmentParser(8, TINY), tmp_path / "large.safetensors", {})


def test_crops_keep_garments_where_their_classes_are(street, tmp_path):
    palette = read_named_palette(street / "palette.json")
    examples = read_examples(read_photo_set(street), palette, tmp_path)
    image, codes = examples.example(0)
    draws = [draw_example(examples, 0, np.empty(0), np.random.default_rng(i)) for i in range(80)]

    assert (image.shape, codes.shape) == ((256, 192, 3), (256, 192))
    assert set(np.unique(codes)) == {0, GarmentClass.TOP, GarmentClass.BOTTOM, BODY}
    assert {draw.image.shape for draw in draws} == {(HEIGHT, WIDTH, 3)}
    shown = [set(np.unique(draw.classes).tolist()) for draw in draws]
    assert set().union(*shown) == {0, 1, 2}  # skin is backdrop
    assert {0, 1} in shown  # a garment by itself
    assert {0, 2} in shown
    again = draw_example(examples, 0, np.empty(0), np.random.default_rng(3))
    assert (again.image == draws[3].image).all()


def test_the_loss_is_least_where_every_pixel_is_right_and_sure():
    classes = torch.tensor([[[0, 1, 2]], [[2, 0, 0]]])  # (2, 1, 3)
    right = 20.0 * torch.nn.functional.one_hot(classes, 4).permute(0, 3, 1, 2).float()

    assert parsing_loss(right, classes).item() == pytest.approx(0, abs=1e-5)
    assert parsing_loss(right.roll(1, dims=1), classes) > 5
    assert parsing_loss(torch.zeros(2, 4, 1, 3), classes) == pytest.approx(np.log(4), abs=0.05)


def test_training_writes_a_parser_with_its_recipe(street, tmp_path, settings, capsys, monkeypatch):
    settings.FASHREC_HOME = tmp_path
    monkeypatch.setattr("embeddings.training.parsing.parser_task.DRAWS_PER_EPOCH", 1)
    monkeypatch.setattr(GarmentParser.__init__, "__defaults__", (TINY,))
    output = tmp_path / "out" / "parser.safetensors"

    call_command("train_parser", photos=street, epochs=1, batch_size=4, output=output)

    parts = [split_of(photo.group) for photo in read_photo_set(street)]
    recipe = json.loads(output.with_suffix(".json").read_text())
    assert recipe["data"]["examples"] == parts.count("train")
    assert recipe["data"]["validation"] == parts.count("validation")
    assert len(recipe["validation_garment_iou"]) == 1
    assert f"stored as {output}" in capsys.readouterr().out
    assert load_parser(output).channels == TINY
    second = tmp_path / "second.safetensors"
    options = {"photos": street, "epochs": 1, "batch_size": 4, "start": output}
    call_command("train_parser", output=second, with_validation=True, **options)
    last = json.loads(second.with_suffix(".json").read_text())
    assert last["initialisation"] == recipe
    assert last["data"]["examples"] == parts.count("train") + parts.count("validation")
    assert (last["validation_garment_iou"], last["best_epoch"]) == ([], 1)


def test_photos_without_maps_are_refused_in_one_line(tmp_path, street):
    with pytest.raises(CommandError, match="holds no map of any photo"):
        call_command("train_parser", photos=street, segmentation=street / "images")
    with pytest.raises(CommandError, match="is not a folder"):
        call_command("train_parser", photos=tmp_path / "absent")
