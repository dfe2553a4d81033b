"""Words of a study's data stand in its report as they are, also where they look like a citation."""

import io

import pandas as pd
import pytest
from docx import Document

from clamlab.report import Found, report_of, to_page
from clamlab.report.document import to_document

RECORDS = {"09_associations": {"parameters": {"covariance": "HC3", "n_bootstrap": 9}}}


@pytest.mark.parametrize("title", ["[@holm1979] SOBQ", "[@nobody1900] SOBQ"])
def test_a_title_is_no_citation(title):
    row = {
        "part": "omnibus",
        "test": "F",
        "outcome": "y",
        "title": title,
        "source": "external",
        "p_holm": 0.01,
    }
    associations = pd.DataFrame([{**row, "covariates": title}])
    stages = pd.DataFrame(columns=["stage", "status", "why", "finished"])
    found = Found("lungs", stages, {"associations": associations}, records=RECORDS)
    report = report_of(found)
    draft = Document(io.BytesIO(to_document(report)))
    for text in (to_page(report), "\n".join(p.text for p in draft.paragraphs)):
        assert f"adjusted for {title}, with standard errors" in text
        assert "corrected after Holm [2] and" in text
        assert not set(text) & {"\ufdd0", "\ufdd1"}
    assert f"after Holm's correction ({title})".replace("'", "&#x27;") in to_page(report)
    assert list(report.numbers)[:2] == ["mackinnon1985", "holm1979"]
