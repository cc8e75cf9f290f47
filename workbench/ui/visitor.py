"""Who looks at the page, and which studies are theirs.

Somebody who is logged in is told apart by the provider's own name for them. Without a
login a browser is: it keeps a number that nobody can guess (a cookie), so that a reload
or a second page of the same browser finds the same studies, and no other browser does.
"""

import re
import secrets

import streamlit as st
from streamlit.components import v2

from workbench.shelf import AbstractShelf
from workbench.shelves import open_shelf

COOKIE = "workbench_visitor"
_NUMBER = re.compile(r"[0-9a-f]{32}")
_KEPT = "visitor"
_KEEP = f"""
export default function (component) {{
  if (document.cookie.includes('{COOKIE}=')) return
  const secure = location.protocol === 'https:' ? '; Secure' : ''
  document.cookie = '{COOKIE}=' + component.data +
    '; Path=/; Max-Age=31536000; SameSite=Strict' + secure
}}
"""


def shelf() -> AbstractShelf:
    """Return where studies are kept."""
    return open_shelf()


def visitor() -> str:
    """Return what tells whoever looks from everybody else."""
    return f"browser:{_number()}"


def remember() -> None:
    """Have the browser keep its number, where it does not keep one yet."""
    if _kept_number():
        return
    keep = v2.component("workbench_visitor", js=_KEEP)
    with st.container(width=1, height=1, border=False, key="visitor"):
        keep(key="visitor_number", data=_number())


def _number() -> str:
    if _KEPT not in st.session_state:
        # Once a session: a cookie that comes later must not change who somebody is.
        st.session_state[_KEPT] = _kept_number() or secrets.token_hex(16)
    return st.session_state[_KEPT]


def _kept_number() -> str:
    """Return the number that the browser keeps, or nothing."""
    kept = str(st.context.cookies.get(COOKIE, ""))
    return kept if _NUMBER.fullmatch(kept) else ""
