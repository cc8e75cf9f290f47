"""Who looks at the page, and which studies they may open.

Somebody who is logged in is told apart by the provider's own name for them. Without a
login a browser is: it keeps a number that nobody can guess (a cookie), so that a reload
or a second page of the same browser finds the same studies, and no other browser does.
A guest has followed a link that can only look, at one study.
"""

import hashlib
import os
import re
import secrets

import streamlit as st
from streamlit.components import v2

from workbench.database import cache_directory
from workbench.errors import StoreError
from workbench.shelf import NOT_HERE, STORE_SETTING, AbstractShelf
from workbench.shelves import open_shelf
from workbench.studies import Entry, look_up, shared_study
from workbench.ui.login import has_login

COOKIE = "workbench_visitor"
SHARE = "share"
USER, BROWSER = "user:", "browser:"
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
    return _opened(os.environ.get(STORE_SETTING, ""), str(cache_directory()))


def visitor() -> str:
    """Return what tells whoever looks from everybody else."""
    if has_login():
        claims = (str(st.user.get(name, "")) for name in ("iss", "sub"))
        told = "\n".join(claims)
        return USER + hashlib.sha256(told.encode()).hexdigest()[:32]
    return BROWSER + _number()


def open_study(identifier: str) -> Entry:
    """Return a study that whoever looks may open.

    One that somebody has started while logged in is theirs alone. Any other opens for
    whoever knows its address, which nobody can guess.

    Raises:
        StoreError: It is not theirs, or there is none; the two are not told apart.
    """
    entry = look_up(shelf(), identifier)
    owner = entry.about.owner
    if owner.startswith(USER) and owner != visitor():
        raise StoreError(NOT_HERE)
    return entry


def guest_study() -> str | None:
    """Return the study that a guest's link shows, or None for who is no guest.

    Raises:
        StoreError: The link has been taken back.
    """
    token = st.query_params.get(SHARE, "") or st.session_state.get(SHARE, "")
    if not token:
        return None
    st.session_state[SHARE] = token  # a change of page drops the address's parameters
    return shared_study(shelf(), token)


def remember() -> None:
    """Have the browser keep its number, where it does not keep one yet."""
    if has_login() or _kept_number():
        return
    keep = v2.component("workbench_visitor", js=_KEEP)
    with st.container(width=1, height=1, border=False, key="visitor"):
        keep(key="visitor_number", data=_number())


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(address: str, cache: str) -> AbstractShelf:
    return open_shelf(address)


def _number() -> str:
    if _KEPT not in st.session_state:
        # Once a session: a cookie that comes later must not change who somebody is.
        st.session_state[_KEPT] = _kept_number() or secrets.token_hex(16)
    return st.session_state[_KEPT]


def _kept_number() -> str:
    """Return the number that the browser keeps, or nothing."""
    kept = str(st.context.cookies.get(COOKIE, ""))
    return kept if _NUMBER.fullmatch(kept) else ""
