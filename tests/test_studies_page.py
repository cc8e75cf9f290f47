"""The page of studies: a list, one study, and what can be done with it."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages import ROOT, Open, said
from tests.results_factory import make_results
from workbench.results import load_results
from workbench.shelf import About
from workbench.shelves import open_shelf
from workbench.studies import StudyState, list_studies, look_up
from workbench.ui import login, words

AUTH = dict.fromkeys(login.SETTINGS, "set")
MINE = "0123456789abcdef"
OTHER = "fedcba9876543210"


@pytest.fixture(autouse=True)
def own_shelf(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_STORE", str(tmp_path / "shelf"))


@pytest.fixture
def as_user(visit: Open) -> Callable[..., AppTest]:
    """Open a page as somebody whom the provider has told us of, or not yet."""

    def open_as(user: dict, page: str = "", **parameters: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        app.user = user
        app.secrets["auth"] = AUTH
        for name, value in parameters.items():
            app.query_params[name] = value
        app.run()
        if page:
            app.switch_page(f"workbench/ui/pages/{page}.py").run()
        assert not app.exception
        return app

    return open_as


def keep_study(identifier: str, name: str, **known) -> None:
    shelf = open_shelf()
    make_results(shelf.home / identifier, depths=(0, 1, 2))
    shelf.change(identifier, lambda _: About(name=name, created=1e9, **known))


def test_a_visitor_without_studies_is_led_to_training(visit: Open) -> None:
    keep_study(MINE, "Somebody else's", owner="browser:" + "0" * 32)
    app = visit("studies")
    assert words.NO_STUDIES in said(app)
    assert "Somebody" not in said(app)


def test_a_visitors_studies_are_listed_with_state_and_best_cell(visit: Open) -> None:
    app = visit("studies")
    owner = f"browser:{app.session_state['visitor']}"
    keep_study(MINE, "Spring churn", owner=owner, tags=("spring",))
    app.run()
    assert "finished" in said(app)
    assert "ROC-AUC" in said(app)
    app.text_input(key="studies_find").set_value("autumn").run()
    assert words.NO_SUCH_STUDIES in said(app)
    app.text_input(key="studies_find").set_value("SPRING").run()
    assert words.NO_SUCH_STUDIES not in said(app)


def test_a_study_is_named_by_its_address_and_keeps_the_name(visit: Open) -> None:
    keep_study(MINE, "")
    app = visit("studies", study=MINE)
    assert "person.prosperous on" in said(app)
    app.text_input(key=f"study_name_{MINE}").set_value("<b>Churn</b>")
    app.text_input(key=f"study_tags_{MINE}").set_value("a, b")
    app.button(key="study_keep").click().run()
    assert not app.exception
    about = look_up(open_shelf(), MINE).about
    assert (about.name, about.tags) == ("<b>Churn</b>", ("a", "b"))
    assert "<b>" in said(app)  # written as it is, not read as markup


def test_a_study_says_what_it_does_otherwise_than_another(visit: Open) -> None:
    app = visit("studies")
    owner = f"browser:{app.session_state['visitor']}"
    keep_study(MINE, "one", owner=owner)
    keep_study(OTHER, "other", owner=owner)
    study = open_shelf().folder(OTHER) / "study.toml"
    study.write_text(study.read_text().replace("epochs = 40", "epochs = 20"))
    app.query_params["study"] = MINE
    app.run()
    app.selectbox(key=f"study_other_{MINE}").set_value(OTHER).run()
    assert not app.exception
    assert "most epochs: 20 before, 40 now" in said(app)
    assert "+0.000 [+0.000, +0.000] over 6 seeds paired" in said(app)


def test_a_study_is_deleted_only_after_a_second_click(visit: Open) -> None:
    keep_study(MINE, "one")
    app = visit("studies", study=MINE)
    assert list_studies(open_shelf())
    app.button(key="study_delete").click().run()
    assert not app.exception
    assert list_studies(open_shelf()) == ()


def test_a_study_runs_again_as_a_study_of_its_own(visit: Open) -> None:
    keep_study(MINE, "one", tags=("spring",))
    app = visit("studies", study=MINE)
    app.button(key="study_again").click().run()
    assert not app.exception
    again = list_studies(open_shelf())[0].identifier
    assert again != MINE
    about = open_shelf().about(again)
    assert (about.name, about.tags) == ("one", ("spring",))
    assert about.owner == f"browser:{app.session_state['visitor']}"


def test_a_study_that_waits_says_so_and_can_be_cancelled(visit: Open) -> None:
    shelf = open_shelf()
    keep_study(MINE, "one")
    shelf.change(MINE, lambda about: replace(about, queued=2e9, host="elsewhere"))
    shelf.change(MINE, lambda about: replace(about, seen=9e9))  # another one took it
    app = visit("studies", study=MINE)
    assert words.ahead(0) in said(app)
    app.button(key="study_cancel").click().run()
    assert not app.exception
    assert look_up(shelf, MINE).state is StudyState.CANCELLED


@pytest.mark.parametrize("study", ["../x", "nothinghere", "<b>"])
def test_an_address_of_no_study_is_a_sentence(visit: Open, study: str) -> None:
    assert "not on this machine" in said(visit("studies", study=study))


ADA = {"is_logged_in": True, "iss": "https://id.example", "sub": "1", "name": "Ada"}
BOB = {"is_logged_in": True, "iss": "https://id.example", "sub": "2", "name": "Bob"}


def owner_of(user: dict) -> str:
    told = f"{user['iss']}\n{user['sub']}"
    return "user:" + hashlib.sha256(told.encode()).hexdigest()[:32]


def test_who_is_not_logged_in_sees_nothing_but_the_way_in(as_user) -> None:
    keep_study(MINE, "Ada's churn", owner=owner_of(ADA))
    app = as_user({"is_logged_in": False}, study=MINE)
    assert words.LOG_IN in said(app)
    assert [button.key for button in app.button] == ["log_in"]


def test_two_users_never_see_each_others_studies(as_user) -> None:
    keep_study(MINE, "Ada's churn", owner=owner_of(ADA))
    app = as_user(ADA, "studies")
    assert words.MY_STUDIES in said(app)
    assert "finished" in said(app)
    app = as_user(BOB, "studies")
    assert words.NO_STUDIES in said(app)
    for page, name in (("studies", "study"), ("train", "results")):
        app = as_user(BOB, page, **{name: MINE})
        assert "not on this machine" in said(app)
        assert "Ada" not in said(app)
    app = as_user(BOB, "compare", results=MINE)
    assert "not on this machine" in said(app)
    assert "Ada" not in said(app)
    assert "Ada's churn" in said(as_user(ADA, "studies", study=MINE))


def test_a_shared_link_shows_the_comparison_and_changes_nothing(as_user) -> None:
    keep_study(MINE, "Ada's churn", owner=owner_of(ADA))
    app = as_user(ADA, "studies", study=MINE)
    app.button(key="study_share").click().run()
    assert not app.exception
    token = open_shelf().about(MINE).share
    assert any(token in code.value for code in app.code)

    guest = as_user({"is_logged_in": False}, share=token)
    assert words.ONLY_TO_LOOK in said(guest)
    verdict = load_results(open_shelf().folder(MINE)).comparison["verdict"]
    assert verdict in said(guest)
    assert not guest.button
    assert not guest.get("page_link")
    other = as_user({"is_logged_in": False}, share=token, results="address")
    assert "Ada's churn" in said(other)  # the link's study, whatever the address adds

    app.button(key="study_unshare").click().run()
    after = as_user({"is_logged_in": False}, share=token)
    assert "shows nothing any more" in said(after)
    assert verdict not in said(after)
    assert open_shelf().about(MINE).name == "Ada's churn"


@pytest.mark.parametrize("page", ["train", "studies", "data", "start"])
def test_a_guest_has_no_other_page(as_user, page: str) -> None:
    keep_study(MINE, "Ada's churn", owner=owner_of(ADA), share="t" * 32)
    app = as_user({"is_logged_in": False}, share="t" * 32)
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        app.switch_page(f"workbench/ui/pages/{page}.py")


def test_no_share_is_opened_by_an_empty_or_a_wrong_token(as_user) -> None:
    keep_study(MINE, "Ada's churn", owner=owner_of(ADA), share="")
    app = as_user({"is_logged_in": False}, share="wrong")
    assert "shows nothing any more" in said(app)
    assert "Ada" not in said(as_user({"is_logged_in": False}, share=""))
