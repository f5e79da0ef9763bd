"""What all sections of a recipe share: strictness, and the types of their fields."""

from pathlib import Path
from typing import Annotated, ClassVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.fields import FieldInfo

from devtune.paths import located

HASHED = "hashed"
FilePath = Annotated[Path, BeforeValidator(located), PlainSerializer(str), HASHED]
"""A file the section refers to; its content, not its name, goes into the fingerprint."""
PlainPath = Annotated[Path, BeforeValidator(located), PlainSerializer(str)]
"""A directory; the stage itself says what its content is (see `line.Stage.identify`)."""
Fraction = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


def is_file_reference(field: FieldInfo) -> bool:
    """Whether a field holds a `FilePath`, whose content belongs to the fingerprint."""
    parts = get_args(field.annotation)
    metadata = [each for part in parts for each in getattr(part, "__metadata__", ())]
    return HASHED in (*field.metadata, *metadata)


class Section(BaseModel):
    """What all sections share: unknown keys are errors, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    UNSIGNED: ClassVar[frozenset[str]] = frozenset({"out"})
    """Fields that say where and how, not what: the result is the same whatever they are."""
