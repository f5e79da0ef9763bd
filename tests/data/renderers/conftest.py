import json

import pytest
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from devtune.data.renderers.mistral import MistralRenderer

VERSIONS = ("v7", "v11", "v13")


@pytest.fixture(scope="session")
def tekkens(tekken_file, tmp_path_factory):
    content = json.loads(tekken_file.read_text(encoding="utf-8"))
    found = {}
    for version in VERSIONS:
        content["config"]["version"] = version
        found[version] = tmp_path_factory.mktemp(version) / "tekken.json"
        found[version].write_text(json.dumps(content), encoding="utf-8")
    return found


@pytest.fixture(scope="session")
def renderers(tekkens):
    return {version: MistralRenderer(file) for version, file in tekkens.items()}


@pytest.fixture(scope="session")
def servers(tekkens):
    return {
        version: MistralTokenizer.from_file(str(file), mode=ValidationMode.serving)
        for version, file in tekkens.items()
    }
