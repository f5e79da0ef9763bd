# Sessions of real programs as they are trained, trained tokens between ⟦ and ⟧. The files in
# `golden/` were read by a human; one that differs is to be read again, then replaced.
from pathlib import Path

import pytest

from devtune.data.renderers.mistral import MistralRenderer
from devtune.pipeline import RenderSection
from devtune.steps.sessions import Injected, StepMasks
from tests.data.trajectories.test_trajectory import make
from tests.session_logs import LOGS, read

GOLDEN = Path(__file__).parent / "golden"
STEPS = (Injected(type="injected"), StepMasks(type="step_masks"))
SESSIONS = ("vibe3/wrong_calls", "claude_code/wrong_calls", "openhands/wrong_calls")


def shown(renderer, row):
    spans = renderer.spans(row.input_ids, row.labels)
    text = "".join(f"⟦{each.text}⟧" if each.is_trained else each.text for each in spans)
    text = text.replace("⟧⟦", "")
    for name in ("[INST]", "[TOOL_RESULTS]", "[AVAILABLE_TOOLS]", "[SYSTEM_PROMPT]"):
        text = text.replace(name, f"\n{name}")
    return text.replace("[/INST]", "[/INST]\n").replace("[/TOOL_RESULTS]", "[/TOOL_RESULTS]\n")


@pytest.mark.parametrize("name", SESSIONS)
def test_exactly_what_was_read_is_trained(name, tekken_file, tmp_path):
    renderer = MistralRenderer(tekken_file)
    texts = []
    for _, _, draft in read(LOGS / name):
        for made in make(draft, *STEPS):
            rows, rejects = renderer.rows(made.sample, RenderSection(max_length=200_000))
            assert not rejects
            reasons = [each.mask_reason for each in made.sample.messages if each.mask_reason]
            texts += [f"masked: {', '.join(reasons) or 'nothing'}\n{shown(renderer, row)}\n"
                      for row in rows]  # fmt: skip
    found = tmp_path / "found.txt"
    found.write_text("\n".join(texts), encoding="utf-8")
    golden = GOLDEN / f"{name.replace('/', '_')}.txt"
    assert found.read_text(encoding="utf-8") == golden.read_text(encoding="utf-8"), found
