"""Webhooks are queued by the database with what they tell, so that none is lost and no app below
this one needs to know of them.

An endpoint that asks for nothing costs a look at a small table; one that asks gets a row for each
product, photo or evaluation, in the same transaction.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION site_queue_webhooks(what text, told jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO fashrec_site_webhookdelivery
        (id, endpoint_id, kind, payload, state, attempts, next_attempt_at, created_at, error)
    SELECT gen_random_uuid(), id, what, told, 'pending', 0, now(), now(), ''
    FROM fashrec_site_webhookendpoint WHERE is_active AND what = ANY (kinds)
$$;

CREATE FUNCTION site_tell_product_embedded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fashrec_site_webhookendpoint
               WHERE is_active AND 'product.embedded' = ANY (kinds)) THEN
        PERFORM site_queue_webhooks('product.embedded', jsonb_build_object(
            'itemId', (SELECT item_id FROM catalog_product WHERE id = NEW.product_id),
            'backbone', (SELECT name FROM embeddings_backbone WHERE id = NEW.backbone_id)));
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER tell_product_embedded AFTER INSERT ON embeddings_productvector
    FOR EACH ROW EXECUTE FUNCTION site_tell_product_embedded();
CREATE TRIGGER tell_product_embedded_again AFTER UPDATE OF vector ON embeddings_productvector
    FOR EACH ROW WHEN (OLD.vector IS DISTINCT FROM NEW.vector)
    EXECUTE FUNCTION site_tell_product_embedded();

CREATE FUNCTION site_tell_embedding_failed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM site_queue_webhooks('embedding.failed', (
        SELECT jsonb_build_object(
            'itemId', p.item_id, 'view', i.view, 'error', NEW.error,
            'backbone', (SELECT name FROM embeddings_backbone WHERE id = NEW.backbone_id))
        FROM catalog_productimage i JOIN catalog_product p ON p.id = i.product_id
        WHERE i.id = NEW.image_id));
    RETURN NULL;
END $$;

CREATE TRIGGER tell_embedding_failed AFTER INSERT ON embeddings_embedding
    FOR EACH ROW WHEN (NEW.state = 'failed') EXECUTE FUNCTION site_tell_embedding_failed();
CREATE TRIGGER tell_embedding_failed_later AFTER UPDATE OF state ON embeddings_embedding
    FOR EACH ROW WHEN (NEW.state = 'failed' AND OLD.state <> 'failed')
    EXECUTE FUNCTION site_tell_embedding_failed();

CREATE FUNCTION site_tell_evaluation_finished() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM site_queue_webhooks('evaluation.finished', jsonb_build_object(
        'evaluation', NEW.id, 'finishedAt', NEW.finished_at));
    RETURN NULL;
END $$;

CREATE TRIGGER tell_evaluation_finished AFTER UPDATE OF finished_at ON recommender_evaluationrun
    FOR EACH ROW WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL)
    EXECUTE FUNCTION site_tell_evaluation_finished();
"""

DROP = """
DROP TRIGGER tell_evaluation_finished ON recommender_evaluationrun;
DROP TRIGGER tell_embedding_failed_later ON embeddings_embedding;
DROP TRIGGER tell_embedding_failed ON embeddings_embedding;
DROP TRIGGER tell_product_embedded_again ON embeddings_productvector;
DROP TRIGGER tell_product_embedded ON embeddings_productvector;
DROP FUNCTION site_tell_evaluation_finished, site_tell_embedding_failed,
    site_tell_product_embedded, site_queue_webhooks;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("fashrec_site", "0001_initial"),
        ("catalog", "0001_initial"),
        ("embeddings", "0002_product_vector_storage"),
        ("recommender", "0001_initial"),
    ]

    operations = [migrations.RunSQL(CREATE, DROP)]
