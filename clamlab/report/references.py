"""The works that a study rests on, numbered where they are cited, and as BibTeX."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# No characters of any text, for Unicode leaves them to programs: words of data cannot cite.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_CITED = re.compile(rf"\[{_OPEN}([\w, ]+){_CLOSE}\]")
_PROTECTED = re.compile(r"\b(?:[A-Z]\w*[A-Z]\w*|Python|Jaccard)\b")


@dataclass(frozen=True)
class Reference:
    """A work, with what BibTeX and a printed list need of it."""

    kind: str
    authors: tuple[str, ...]
    title: str
    year: int
    where: Mapping[str, str]

    def printed(self) -> str:
        """Print it as medical journals do."""
        names = list(self.authors[:6]) + (["et al"] if len(self.authors) > 6 else [])
        fields = self.where
        place = fields.get("journal") or fields.get("booktitle") or fields.get("howpublished", "")
        volume = fields.get("volume", "")
        number = f"({fields['number']})" if "number" in fields else ""
        pages = f":{fields['pages'].replace('--', '-')}" if "pages" in fields else ""
        doi = f" doi:{fields['doi']}" if "doi" in fields else ""
        numbers = f";{volume}{number}{pages}" if volume else pages
        return f"{', '.join(names)}. {self.title}. {place}. {self.year}{numbers}.{doi}"

    def bibtex(self, key: str) -> str:
        """Write it as a BibTeX entry; what must keep its capitals stands in braces."""
        title = _PROTECTED.sub(lambda m: f"{{{m[0]}}}", self.title)
        people = " and ".join(_last_first(name) for name in self.authors)
        fields = {"author": people, "title": title, "year": str(self.year), **self.where}
        body = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
        return f"@{self.kind}{{{key},\n{body}\n}}\n"


def _last_first(name: str) -> str:
    """Turn "Ryan S" into "Ryan, S."; what has no initials is a name as a whole."""
    last, _, initials = name.rpartition(" ")
    if not last or not initials.isupper():
        return f"{{{name}}}"
    return f"{last}, {' '.join(f'{letter}.' for letter in initials)}"


def _article(authors: str, title: str, year: int, **where: str) -> Reference:
    return Reference("article", tuple(authors.split(", ")), title, year, where)


def _talk(authors: str, title: str, year: int, **where: str) -> Reference:
    return Reference("inproceedings", tuple(authors.split(", ")), title, year, where)


REFERENCES: dict[str, Reference] = {
    "ryan2022": _article(
        "Ryan S, Carlson N, Butler H, Fingerlin T, Maier L, Xing F",
        "Cluster activation mapping with application to computed tomography scans of the lung",
        2022, journal="Journal of Medical Imaging", volume="9", number="2", pages="026001",
        doi="10.1117/1.JMI.9.2.026001",
    ),
    "xie2016": _talk(
        "Xie J, Girshick R, Farhadi A", "Unsupervised deep embedding for clustering analysis", 2016,
        booktitle="Proceedings of the 33rd International Conference on Machine Learning",
        volume="48", pages="478--487",
    ),
    "guo2017": _talk(
        "Guo X, Liu X, Zhu E, Yin J", "Deep clustering with convolutional autoencoders", 2017,
        booktitle="Neural Information Processing (ICONIP)", pages="373--382",
        doi="10.1007/978-3-319-70096-0_39",
    ),
    "wang2020": _talk(
        "Wang H, Wang Z, Du M, Yang F, Zhang Z, Ding S, Mardziel P, Hu X",
        "Score-CAM: Score-weighted visual explanations for convolutional neural networks", 2020,
        booktitle="IEEE/CVF Conference on Computer Vision and Pattern Recognition Workshops",
        pages="111--119", doi="10.1109/CVPRW50498.2020.00020",
    ),
    "witten2010": _article(
        "Witten DM, Tibshirani R", "A framework for feature selection in clustering", 2010,
        journal="Journal of the American Statistical Association", volume="105", number="490",
        pages="713--726", doi="10.1198/jasa.2010.tm09415",
    ),
    "tibshirani2001": _article(
        "Tibshirani R, Walther G, Hastie T",
        "Estimating the number of clusters in a data set via the gap statistic", 2001,
        journal="Journal of the Royal Statistical Society: Series B", volume="63", number="2",
        pages="411--423", doi="10.1111/1467-9868.00293",
    ),
    "rousseeuw1987": _article(
        "Rousseeuw PJ",
        "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis",
        1987, journal="Journal of Computational and Applied Mathematics", volume="20",
        pages="53--65", doi="10.1016/0377-0427(87)90125-7",
    ),
    "hubert1985": _article(
        "Hubert L, Arabie P", "Comparing partitions", 1985, journal="Journal of Classification",
        volume="2", pages="193--218", doi="10.1007/BF01908075",
    ),
    "kingma2015": _talk(
        "Kingma DP, Ba J", "Adam: a method for stochastic optimization", 2015,
        booktitle="3rd International Conference on Learning Representations",
    ),
    "avants2008": _article(
        "Avants BB, Epstein CL, Grossman M, Gee JC",
        "Symmetric diffeomorphic image registration with cross-correlation: evaluating automated "
        "labeling of elderly and neurodegenerative brain", 2008,
        journal="Medical Image Analysis", volume="12", number="1", pages="26--41",
        doi="10.1016/j.media.2007.06.004",
    ),
    "tustison2021": _article(
        "Tustison NJ, Cook PA, Holbrook AJ, Johnson HJ, Muschelli J, Devenyi GA, Duda JT",
        "The ANTsX ecosystem for quantitative biological and medical imaging", 2021,
        journal="Scientific Reports", volume="11", pages="9068", doi="10.1038/s41598-021-87564-6",
    ),
    "holm1979": _article(
        "Holm S", "A simple sequentially rejective multiple test procedure", 1979,
        journal="Scandinavian Journal of Statistics", volume="6", number="2", pages="65--70",
    ),
    "benjamini1995": _article(
        "Benjamini Y, Hochberg Y",
        "Controlling the false discovery rate: a practical and powerful approach to multiple "
        "testing", 1995, journal="Journal of the Royal Statistical Society: Series B",
        volume="57", number="1", pages="289--300", doi="10.1111/j.2517-6161.1995.tb02031.x",
    ),
    "mackinnon1985": _article(
        "MacKinnon JG, White H",
        "Some heteroskedasticity-consistent covariance matrix estimators with improved finite "
        "sample properties", 1985, journal="Journal of Econometrics", volume="29", number="3",
        pages="305--325", doi="10.1016/0304-4076(85)90158-7",
    ),
    "bergsma2013": _article(
        "Bergsma W", "A bias-correction for Cramér's V and Tschuprow's T", 2013,
        journal="Journal of the Korean Statistical Society", volume="42", number="3",
        pages="323--328", doi="10.1016/j.jkss.2012.10.002",
    ),
    "pollard2018": _article(
        "Pollard TJ, Johnson AEW, Raffa JD, Mark RG",
        "tableone: an open source Python package for producing summary statistics for research "
        "papers", 2018, journal="JAMIA Open", volume="1", number="1", pages="26--31",
        doi="10.1093/jamiaopen/ooy012",
    ),
    "seabold2010": _talk(
        "Seabold S, Perktold J", "statsmodels: econometric and statistical modeling with Python",
        2010, booktitle="Proceedings of the 9th Python in Science Conference", pages="92--96",
        doi="10.25080/Majora-92bf1922-011",
    ),
    "pedregosa2011": _article(
        "Pedregosa F, Varoquaux G, Gramfort A, Michel V, Thirion B, Grisel O, Blondel M",
        "Scikit-learn: machine learning in Python", 2011,
        journal="Journal of Machine Learning Research", volume="12", pages="2825--2830",
    ),
    "paszke2019": _talk(
        "Paszke A, Gross S, Massa F, Lerer A, Bradbury J, Chanan G, Killeen T",
        "PyTorch: an imperative style, high-performance deep learning library", 2019,
        booktitle="Advances in Neural Information Processing Systems", volume="32",
        pages="8024--8035",
    ),
    "vonelm2007": _article(
        "von Elm E, Altman DG, Egger M, Pocock SJ, Gøtzsche PC, Vandenbroucke JP",
        "The Strengthening the Reporting of Observational Studies in Epidemiology (STROBE) "
        "statement: guidelines for reporting observational studies", 2007, journal="The Lancet",
        volume="370", number="9596", pages="1453--1457", doi="10.1016/S0140-6736(07)61602-X",
    ),
    "tejani2024": _article(
        "Tejani AS, Klontzas ME, Gatti AA, Mongan JT, Moy L, Park SH, Kahn CE",
        "Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024 update", 2024,
        journal="Radiology: Artificial Intelligence", volume="6", number="4", pages="e240300",
        doi="10.1148/ryai.240300",
    ),
    "collins2024": _article(
        "Collins GS, Moons KGM, Dhiman P, Riley RD, Beam AL, Van Calster B, Ghassemi M",
        "TRIPOD+AI statement: updated guidance for reporting clinical prediction models that use "
        "regression or machine learning methods", 2024, journal="BMJ", volume="385",
        pages="e078378", doi="10.1136/bmj-2023-078378",
    ),
}  # fmt: skip
_MORE_AUTHORS = {"tustison2021", "pedregosa2011", "paszke2019", "collins2024"}


def cite(*keys: str) -> str:
    """Mark a place that cites works, to be numbered where it is printed.

    Examples
    --------
    >>> cited([f"Corrected after Holm {cite('holm1979')}."])
    {'holm1979': 1}
    """
    return f"[{_OPEN}{', '.join(keys)}{_CLOSE}]"


def cited(texts: Iterable[str]) -> dict[str, int]:
    """Give numbers to the works that texts cite, in the order of their first place.

    Examples
    --------
    >>> cited([f"Made as before {cite('xie2016', 'ryan2022')}.", f"Again {cite('ryan2022')}."])
    {'xie2016': 1, 'ryan2022': 2}
    """
    keys = (key for text in texts for key in _keys(text))
    return {key: i for i, key in enumerate(dict.fromkeys(keys), start=1)}


def numbered(text: str, numbers: Mapping[str, int]) -> str:
    """Put numbers in the place of keys.

    Examples
    --------
    >>> numbered(f"As before {cite('xie2016', 'ryan2022')}.", {"xie2016": 1, "ryan2022": 2})
    'As before [1, 2].'
    >>> numbered("[@ryan2022] SOBQ", {"ryan2022": 2})
    '[@ryan2022] SOBQ'
    """
    return _CITED.sub(
        lambda m: f"[{', '.join(str(n) for n in sorted(numbers[k] for k in _keys(m[0])))}]", text
    )


def bibliography(numbers: Mapping[str, int]) -> str:
    """Write the works as BibTeX, in the order of their numbers.

    Parameters
    ----------
    numbers : mapping of str to int
        From :func:`cited`.

    Returns
    -------
    str

    Examples
    --------
    >>> print(bibliography({"hubert1985": 1}).splitlines()[0])
    @article{hubert1985,
    """
    entries = []
    for key in numbers:
        work = REFERENCES[key]
        if key in _MORE_AUTHORS:
            others = (*work.authors, "others")
            work = Reference(work.kind, others, work.title, work.year, work.where)
        entries.append(work.bibtex(key).replace("{others}", "others"))
    return "\n".join(entries)


def _keys(text: str) -> list[str]:
    return [key.strip() for found in _CITED.findall(text) for key in found.split(",")]
