"""`croissant.json`: a dataset as Croissant 1.1 has it, with what its RAI extension asks for.

Writes nothing itself; the values are those of `description`.
"""

import re
from collections.abc import Mapping
from typing import Any

from devtune.data.cards import statements
from devtune.data.cards.description import Description, File
from devtune.records import PREFERENCES, SPLITS

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context the format prescribes."""
CONFORMS_TO = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
FORMATS = {
    ".parquet": "application/x-parquet",
    ".json": "application/json",
    ".jinja": "text/plain",
}
COLUMNS = {
    "sample_id": ("sc:Text", "Names the conversation in samples/ and rejected.jsonl."),
    "family": ("sc:Text", "The step of the pipeline that made it."),
    "input_ids": ("cr:Int32", "Tokens of the whole conversation, by the tokenizer beside it."),
    "labels": ("cr:Int32", "The token where it is trained, -100 where it is not."),
    "num_tokens": ("cr:Int32", "Length of input_ids."),
    "num_trained_tokens": ("cr:Int32", "How many labels are not -100."),
    "num_trained_bytes": ("cr:Int32", "UTF-8 bytes of the trained text."),
    "part": ("cr:Int32", "Which row of a sample that has several, from 1; 0 for the only one."),
}
PAIR_COLUMNS = {
    "sample_id": ("sc:Text", "Names the pair in samples/ and rejected.jsonl."),
    "family": ("sc:Text", "Whole sessions are paired, or their first answers that differ."),
    "prompt_ids": ("cr:Int32", "Tokens up to where the assistant begins, of both sides."),
    "chosen_ids": ("cr:Int32", "Tokens that follow in the better session."),
    "rejected_ids": ("cr:Int32", "Tokens that follow in the worse session."),
    "chosen_labels": ("cr:Int32", "The token where it is to be learnt, -100 where it is not."),
    "rejected_labels": ("cr:Int32", "The token where it is to be unlearnt, -100 where it is not."),
    "num_tokens": ("cr:Int32", "Length of the prompt and the longer side."),
}
LISTS = (
    "input_ids",
    "labels",
    *(each for each in PAIR_COLUMNS if each.endswith(("_ids", "labels"))),
)
NAMES = {"train": "to train on", "held_out": "held out, to measure with"}
_SPDX_ID = re.compile(r"(?!LicenseRef-)[A-Za-z0-9.+-]+")


def metadata(about: Description) -> dict[str, Any]:
    """Return the JSON-LD of a dataset, its keys in a fixed order."""
    creator = {"@type": "Organization", "name": about.creator}
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": about.name,
        "description": statements.summary(about),
        **({"creator": creator} if about.creator else {}),
        "license": [_license(each) for each in about.licenses] or ["NOASSERTION"],
        "keywords": ["code", *sorted(about.makeup.languages)],
        "distribution": [_file_object(each) for each in about.files],
        "recordSet": [*(_conversations(split) for split in SPLITS), *_pairs(about)],
        **_responsibility(about),
    }


def _license(expression: str) -> str:
    """The address of a licence of the SPDX list; any other expression as it is."""
    is_listed = _SPDX_ID.fullmatch(expression) is not None
    return f"https://spdx.org/licenses/{expression}" if is_listed else expression


def _file_object(file: File) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.num_bytes} B",
        "encodingFormat": FORMATS[file.name[file.name.rindex(".") :]],
        "sha256": file.sha256,
    }


def _conversations(split: str) -> dict[str, Any]:
    return _record_set(split, f"Conversations {NAMES[split]}.", COLUMNS)


def _pairs(about: Description) -> list[dict[str, Any]]:
    what = "Pairs of a better and a worse session of one task, to train on."
    return [] if about.num_pairs is None else [_record_set(PREFERENCES, what, PAIR_COLUMNS)]


def _record_set(name: str, what: str, columns: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    fields: list[dict[str, Any]] = []
    for column, (kind, description) in columns.items():
        one = {
            "@type": "cr:Field",
            "@id": f"{name}/{column}",
            "name": column,
            "description": description,
            "dataType": kind,
            "source": {
                "fileObject": {"@id": f"{name}.parquet"},
                "extract": {"column": column},
            },
        }
        fields.append({**one, "isArray": True, "arrayShape": "-1"} if column in LISTS else one)
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": what,
        "key": {"@id": f"{name}/sample_id"},
        "field": fields,
    }


def _responsibility(about: Description) -> dict[str, Any]:
    """What the RAI extension asks for, from what the stages counted."""
    dates = sorted({each.cut_date for each in about.sources if each.cut_date})
    found = {
        "dataCollection": " ".join(statements.collection(about)),
        "dataCollectionTimeframe": dates[:1] + dates[1:][-1:],
        "dataPreprocessingProtocol": list(statements.protocol(about)),
        "dataUseCases": ["Supervised fine-tuning of a language model on the code of its sources."],
        "dataBiases": list(statements.biases(about)),
        "dataLimitations": list(statements.limitations(about)),
        "personalSensitiveInformation": list(statements.privacy(about)),
    }
    return {f"rai:{name}": value for name, value in found.items() if value}
