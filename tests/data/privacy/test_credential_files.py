import json
from base64 import b64encode

import pytest

from devtune.data.privacy.secrets import find_secrets

PASSWORD, TOKEN = "Walnut" + "2053!", "7kdRaacIGYtph" + "AUZVEF8Xhof4Q7X5Goo"
WRAPPED = b64encode(PASSWORD.encode()).decode()


def values(text: str) -> list[str]:
    return [text[each.start : each.end] for each in find_secrets(text)]


@pytest.mark.parametrize(
    "text",
    [
        "machine git.test login app password {}\n",
        "machine git.test\n  login app\n  password {}\n",
        "db1:5432:shop:app:{}\n", "*:*:*:app:{}\n", "[pypi]\nusername = app\npassword = {}\n",
        "[client]\nuser=app\npassword={}\n", "auth_pass {}\n", "define('DB_PASSWORD', '{}');\n",
        "spring.datasource.password={}\n", "<server><password>{}</password></server>\n",
        'Environment="DB_PASSWORD={}"\n', "kind: Secret\nstringData:\n  dsn: {}\n",
        'apiVersion: v1\nkind: Secret\nstringData:\n  user: app\n  pin: "{}"\ntype: Opaque\n',
        '{"type": "random_password", "attributes": {"length": 9, "result": "{}"}}',
        '{"source": ["connect(password=\\"{}\\")\\n"]}',
    ],
)  # fmt: skip
def test_files_of_credentials_give_theirs_away(text):
    assert values(text.replace("{}", PASSWORD)) == [PASSWORD]


def test_the_data_of_a_kubernetes_secret_is_known_by_what_it_says():
    text = (
        f"kind: Secret\nmetadata:\n  name: db-credentials1\ndata:\n  user: YXBw\n  dsn: {WRAPPED}\n"
    )
    assert values(text) == [WRAPPED]
    assert find_secrets(text)[0].hidden == (PASSWORD,)
    inline = json.dumps({"kind": "Secret", "data": {"dsn": WRAPPED}})
    assert values(inline) == [WRAPPED]


def test_other_manifests_and_the_next_one_stay():
    config = "kind: ConfigMap\ndata:\n  dsn: Walnut2053-mode\n"
    assert not find_secrets(config)
    assert not find_secrets(f"kind: Secret\ndata:\n  host: YXBw\n---\n{config}")


def test_files_of_package_managers_give_theirs_away():
    auth = b64encode(f"app:{PASSWORD}".encode()).decode()
    assert values(f"//registry.test/:_authToken={TOKEN}\nalways-auth=true\n") == [TOKEN]
    assert values(f"_auth={auth}\nemail=a@b.test\n") == [auth]
    assert values(json.dumps({"auths": {"registry.test": {"auth": auth}}})) == [auth]


def test_the_private_numbers_of_a_key_in_json_are_found():
    key = {"kty": "EC", "crv": "P-256", "x": TOKEN[::-1], "d": TOKEN}
    text = json.dumps(key)
    assert values(text) == [TOKEN]
    assert find_secrets(text)[0].kind == "PRIVATE_KEY"
    assert not find_secrets(json.dumps({"kty": "EC", "x": TOKEN[::-1]}))


def test_times_and_ports_are_no_password_files():
    assert not find_secrets("listen 0.0.0.0:5432:tcp\nat 12:5432:10:11:walnut\n")
