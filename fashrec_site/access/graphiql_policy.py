"""The content policy of GraphiQL's page, which strawberry loads from a CDN, each file by its hash.

No Python package that is kept up ships GraphiQL's bundle, and the page is for insiders only.
"""

import re
from base64 import b64encode
from hashlib import sha256

from csp.constants import SELF, UNSAFE_INLINE
from strawberry.http.ides import get_graphql_ide_html

from fashrec_site.access.content_policy import OWN_FILES_ONLY

CDN = "https://unpkg.com"
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def graphiql_policy() -> dict[str, list[str]]:
    """The page's one inline script runs by its hash; its editor makes styles, which have none."""
    scripts = INLINE_SCRIPT.findall(get_graphql_ide_html(graphql_ide="graphiql"))
    hashes = [b64encode(sha256(script.encode()).digest()).decode() for script in scripts]
    return OWN_FILES_ONLY | {
        "script-src": [CDN, *(f"'sha256-{value}'" for value in hashes)],
        "style-src": [CDN, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": ["data:"],
    }
