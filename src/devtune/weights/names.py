"""Tensor names: as a published checkpoint spells them on disk, and as transformers holds them."""

_DISK_TO_MEMORY = (
    ("language_model.lm_head.", "lm_head."),
    ("language_model.model.", "model.language_model."),
    ("vision_tower.", "model.vision_tower."),
    ("multi_modal_projector.", "model.multi_modal_projector."),
)


def in_memory(name: str) -> str:
    """Return the in-memory spelling of a tensor name; a name already in it is left as it is.

    Source: the `mistral3` entry of transformers' `conversion_mapping.py`.
    """
    for disk, memory in _DISK_TO_MEMORY:
        if name.startswith(disk):
            return memory + name.removeprefix(disk)
    return name
