"""What the names of columns say: who is meant, and what is nobody's business."""

import re
from collections.abc import Iterable

# What a column that identifies somebody is called, and what may follow: PatientID, "Fall-Nr.".
_PERSON = "subj|subject|usubj|pat|patient|participant|proband|patienten|pseudonym|pid"
_PEOPLE = f"{_PERSON}|record|study|case|fall|scan"
_NUMBERED = "id|ids|no|nr|nummer|number|num|code"
_ID = re.compile(f"({_PEOPLE})({_NUMBERED})?")
_ID_OF_PERSON = re.compile(f"({_PERSON})({_NUMBERED})?|mrn")
# A group, not a person: neither an id nor anything to compare.
_PRIVATE = {
    *("name", "names", "vorname", "nachname", "surname", "firstname", "lastname", "initials"),
    *("initialen", "phone", "tel", "telefon", "telephone", "fax", "mobile", "mobil", "handy"),
    *("email", "mail", "contact", "kontakt", "address", "adresse", "street", "strasse", "straße"),
    *("zip", "plz", "postcode", "postal", "postleitzahl", "city", "wohnort", "ssn", "nhs", "kvnr"),
    *("svnr", "ahv", "insurance", "versicherung", "accession", "acc", "acn", "hospital", "akte"),
    *("uid", "path", "file", "folder", "url", "dob", "yob", "born", "birth", "birthday"),
    *("birthdate", "geb", "geburtstag", "geburtsjahr", "jahrgang", "date", "datum", "comment"),
    *("comments", "remark", "remarks", "note", "notes", "bemerkung", "bemerkungen", "kommentar"),
    *("doctor", "physician", "arzt", "operator", "radiologist", "technician", "referrer"),
}
# How longer words of that kind end, written as one: "Aufnahmedatum", "phonenumber".
_PRIVATE_ENDING = re.compile(r".(datum|date|nummer|number|adresse|address|name|arzt|phone|code)s?$")
_NUMBERS = {"no", "nr", "number", "nummer"}  # last of several words: "Lab no."


def words_of(name: str) -> list[str]:
    """Split a column name into its lower-case words, "SubjectID" and "subject_id" alike.

    Examples
    --------
    >>> words_of("FVC_percent2"), words_of("PatientID")
    (['fvc', 'percent', '2'], ['patient', 'id'])
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", str(name))
    return re.findall(r"[^\W\d_]+|\d+", spaced.lower())


def looks_like_id(name: str) -> bool:
    """Tell whether a column's name says that it identifies something.

    Examples
    --------
    >>> looks_like_id("Patient No."), looks_like_id("MRN"), looks_like_id("patient age")
    (True, True, False)
    """
    words = words_of(name)
    if "id" in words or "mrn" in words:
        return True
    return _ID.fullmatch("".join(words)) is not None


def called_like_ids(names: Iterable[str]) -> list[str]:
    """List the columns called like an identifier: those of persons, else those of anything.

    A person may have several scans, cases and records.

    Examples
    --------
    >>> called_like_ids(["scan_id", "Patient No.", "age"]), called_like_ids(["scan_id", "age"])
    (['Patient No.'], ['scan_id'])
    """
    called = [name for name in names if looks_like_id(name)]
    return [n for n in called if _ID_OF_PERSON.fullmatch("".join(words_of(n)))] or called


def looks_private(name: str) -> bool:
    """Tell whether a column's name says that it holds names, addresses, numbers of persons, dates.

    Examples
    --------
    >>> looks_private("exam_date"), looks_private("Aufnahmenummer"), looks_private("age")
    (True, True, False)
    >>> looks_private("Lab no."), looks_private("number of nodules")
    (True, False)
    """
    words = words_of(name)
    return (
        bool(_PRIVATE & set(words))
        or any(_PRIVATE_ENDING.search(word) for word in words)
        or (len(words) > 1 and words[-1] in _NUMBERS)
    )


def folded(text: str) -> str:
    """Write a text without what people vary in typing it: capital letters and blanks.

    Examples
    --------
    >>> folded(" Never  Smoker") == folded("never smoker")
    True
    """
    return " ".join(text.casefold().split())
