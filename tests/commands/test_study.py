"""python -m core study schema, and what the options of generate change of a study."""

from __future__ import annotations

import json

import pytest

from core import studies
from core.__main__ import app
from core.commands.study import by_role, drawn, filtered, taught
from core.errors import LabError
from core.teachers.part import Teaching

ROLES = ("delegate", "solver")
OWN = Teaching(teachers={"teacher": {"key": "openai", "model": "m", "price_in": 1.0}})


def test_the_schema_is_one_json_document(capsys):
    app(["study", "schema"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(studies.schema()))


@pytest.mark.parametrize(
    ("texts", "given"),
    [
        (None, {}),
        (["local"], {"delegate": "local", "solver": "local"}),
        (["solver=local"], {"solver": "local"}),
        (["openai", "solver=local"], {"delegate": "openai", "solver": "local"}),
        (["solver=local", "openai"], {"delegate": "openai", "solver": "local"}),
        (["http://host/v1?a=b"], {"delegate": "http://host/v1?a=b", "solver": "http://host/v1?a=b"}),
    ],
)
def test_an_option_is_for_one_role_or_for_all(texts, given):
    assert by_role(texts, ROLES) == given


def test_a_teacher_that_is_not_named_stays_with_all_its_options():
    assert taught(OWN, ("teacher",), {}, {"base_url": {}, "model": {}}) == OWN
    other = taught(OWN, ("teacher",), {}, {"model": {"teacher": "n"}})
    assert other.teacher == OWN.teacher | {"model": "n"}
    assert taught(OWN, ("teacher",), {"teacher": "local"}, {}).teacher == {"key": "local"}


def test_two_teachers_are_named_by_their_roles():
    made = taught(OWN, ROLES, {"solver": "local"}, {"model": {"delegate": "n"}})
    assert made.of("delegate") == OWN.teacher | {"model": "n"} and made.of("solver") == {"key": "local"}
    assert made.teacher == OWN.teacher
    with pytest.raises(LabError, match="no teacher “llama-cpp”"):
        taught(OWN, ROLES, {"solver": "llama-cpp"}, {})


def test_several_rationales_are_drawn_as_the_papers_draw_them_unless_the_study_says():
    study = studies.Study(name="x", benchmark="addsub")
    assert drawn(study, None) == study
    assert drawn(study, 2).teaching.sampling == {"temperature": 0.7}
    hot = study.but(teaching=study.teaching.but(sampling={"temperature": 1.0}))
    assert drawn(hot, 2).teaching.sampling == {"temperature": 1.0}


def test_filters_of_the_command_line_stand_for_the_study_s():
    study = studies.Study(name="x", benchmark="addsub", filters={"steps": True})
    assert filtered(study, None) == study
    assert filtered(study, ["max_words=9"]).learning.filters == {"max_words": 9}
