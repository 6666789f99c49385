"""What somebody decides about a pair of the review queue, and takes back."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from catalog.models import Product
from embeddings.duplicates.models import DuplicatePair
from fashrec_site.merging.models import ProductMerge
from fashrec_site.merging.services import MergeRefusedError, Undone, merge_products, undo_merge

Decision = DuplicatePair.Decision


class DecisionRefusedError(Exception):
    """Nothing was changed; the message says why."""


@transaction.atomic
def decide_pair(
    *, pair_id: int, decision: Decision, kept_id: int, by: User, now: datetime
) -> DuplicatePair:
    """Merge the pair's other product into the kept one, take it off sale, or remember that the two
    are different.

    Raises:
        DecisionRefusedError: somebody decided already, or the merge is refused.
    """
    pair = _locked(pair_id)
    if pair is None or pair.decision != Decision.OPEN:
        raise DecisionRefusedError("Somebody decided about this pair already.")
    if kept_id not in (pair.a_id, pair.b_id):
        raise DecisionRefusedError("Choose which of the two to keep.")
    other_id = pair.b_id if kept_id == pair.a_id else pair.a_id
    if decision == Decision.MERGED:
        try:
            merge_products(kept_id=kept_id, merged_id=other_id, by=by, now=now, pair=pair)
        except MergeRefusedError as error:
            raise DecisionRefusedError(str(error)) from error
    elif decision == Decision.HIDDEN:
        Product.objects.filter(pk=other_id).update(is_active=False, updated_at=now)
        pair.hidden_id = other_id
    pair.decision, pair.decided_by, pair.decided_at = decision, by, now
    pair.save(update_fields=["decision", "decided_by", "decided_at", "hidden"])
    return pair


@transaction.atomic
def take_back(*, pair_id: int, by: User, now: datetime) -> Undone | None:
    """Put a decided pair into the queue again and undo what the decision did.

    Returns:
        Of a merge what came back, and what could not.

    Raises:
        DecisionRefusedError: it is open, or the merge cannot be undone.
    """
    pair = _locked(pair_id)
    if pair is None or pair.decision == Decision.OPEN:
        raise DecisionRefusedError("This pair is in the queue already.")
    undone = None
    if pair.decision == Decision.MERGED:
        undone = _undo(pair, by, now)
    elif pair.decision == Decision.HIDDEN:
        hidden = Product.objects.unmerged().filter(pk=pair.hidden_id)
        hidden.update(is_active=True, updated_at=now)
    pair.decision, pair.decided_by, pair.decided_at = Decision.OPEN, None, None
    pair.hidden = None
    pair.save(update_fields=["decision", "decided_by", "decided_at", "hidden"])
    return undone


def _locked(pair_id: int) -> DuplicatePair | None:
    return DuplicatePair.objects.select_for_update(of=("self",)).filter(pk=pair_id).first()


def _undo(pair: DuplicatePair, by: User, now: datetime) -> Undone:
    merge = ProductMerge.objects.filter(pair=pair, undone_at__isnull=True).first()
    if merge is None:
        raise DecisionRefusedError("What was merged is gone: it cannot be undone.")
    try:
        return undo_merge(merge_id=merge.pk, by=by, now=now)
    except MergeRefusedError as error:
        raise DecisionRefusedError(str(error)) from error
