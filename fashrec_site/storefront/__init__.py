"""The example storefront: server-rendered pages over the GraphQL API.

Each page asks one or two queries of `queries/` as its visitor (`api.py`) and renders a template of
`templates/storefront/`. `docs/storefront.md` shows a storefront developer around.
"""
