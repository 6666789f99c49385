"""What a page may load and run: the site's own files, and no inline script or style anywhere.

So a script in a product's title or a file's name cannot run. Whatever needs more says so at its own
view, with `csp.decorators.csp_update` or `csp_replace`.
"""

from csp.constants import NONE, SELF

OWN_FILES_ONLY = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "blob:"],  # blob: a shopper's own photo, shown before it is sent
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}
