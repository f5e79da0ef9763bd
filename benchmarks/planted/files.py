"""Secrets in files of a known type: credentials files, manifests, notebooks, addresses, logs.

Reads and writes nothing. `{}` in a text is where the secret stands.
"""

import json
import random
from collections.abc import Callable
from urllib.parse import quote

from planted import formats
from planted.kinds import Kind, Planted, draw, in_context, password, token

Draw = Callable[[random.Random, int], str]


def _wrapped_password(rng: random.Random, nth: int) -> str:
    return formats.plain_base64(password(rng, nth))


def _login(rng: random.Random, nth: int) -> str:
    return formats.plain_base64(f"build:{password(rng, nth)}")


def _quoted(rng: random.Random, nth: int) -> str:
    return quote(password(rng, nth), safe="")


def _github(rng: random.Random, nth: int) -> str:
    return formats.checked(rng, "ghp_")


def _wrapped_github(rng: random.Random, nth: int) -> str:
    return formats.plain_base64(_github(rng, nth))


def _wrapped_pem(rng: random.Random, nth: int) -> str:
    return formats.plain_base64(formats.armour("RSA PRIVATE " + "KEY", formats.rsa_der(rng))[0])


def _docker_config(rng: random.Random, nth: int) -> str:
    login = {"auths": {"registry.harbor.internal": {"auth": _login(rng, nth)}}}
    return formats.plain_base64(json.dumps(login))


def _aws_secret(rng: random.Random, nth: int) -> str:
    return draw(rng, "<b64:40>")


_SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: store\n"
WHOLE: dict[str, tuple[Draw, str]] = {
    "netrc": (password, ".netrc|machine files.harbor.internal\n  login build\n  password {}\n"),
    "netrc_one_line": (token, ".netrc|machine api.harbor.internal login build password {}\n"),
    "npmrc_token": (
        lambda rng, nth: draw(rng, "<uuid>"),
        ".npmrc|registry=https://npm.harbor.internal/\n//npm.harbor.internal/:_authToken={}\n",
    ),
    "npmrc_auth": (_login, ".npmrc|_auth={}\nemail=build@harbor.internal\nalways-auth=true\n"),
    "npmrc_password": (_wrapped_password, ".npmrc|//npm.harbor.internal/:_password={}\n"),
    "pypirc": (
        password,
        ".pypirc|[distutils]\nindex-servers = internal\n\n[internal]\n"
        "repository = https://index.harbor.internal/\nusername = build\npassword = {}\n",
    ),
    "pgpass": (password, ".pgpass|db1.harbor.internal:5432:shop:app:{}\n"),
    "my_cnf": (password, ".my.cnf|[client]\nuser=root\npassword={}\nhost=db1\n"),
    "git_credentials": (_quoted, ".git-credentials|https://build:{}@git.harbor.internal\n"),
    "aws_credentials": (
        _aws_secret,
        "credentials|[prod]\naws_access_key_id = AKIA<b32:16>\naws_secret_access_key = {}\n",
    ),
    "kubeconfig_token": (
        token,
        "config.yaml|apiVersion: v1\nkind: Config\nusers:\n- name: admin\n  user:\n    token: {}\n",
    ),
    "kubeconfig_client_key": (
        _wrapped_pem,
        "config.yaml|apiVersion: v1\nkind: Config\nusers:\n- name: admin\n  user:\n"
        "    client-key-data: {}\n",
    ),
    "kubernetes_data": (_wrapped_password, f"secret.yaml|{_SECRET}data:\n  password: {{}}\n"),
    "kubernetes_data_neutral_name": (
        _wrapped_password,
        f"secret.yaml|{_SECRET}type: Opaque\ndata:\n  store.main: {{}}\n",
    ),
    "kubernetes_string_data": (
        password,
        f"secret.yaml|{_SECRET}stringData:\n  username: app\n  password: {{}}\n",
    ),
    "kubernetes_docker_config": (
        _docker_config,
        f"secret.yaml|{_SECRET}type: kubernetes.io/dockerconfigjson\n"
        "data:\n  .dockerconfigjson: {}\n",
    ),
    "docker_config": (
        _login,
        'config.json|{"auths": {"registry.harbor.internal": {"auth": "{}"}}}\n',
    ),
    "maven_settings": (
        password,
        "settings.xml|<settings><servers><server>\n  <id>releases</id>\n"
        "  <username>build</username>\n  <password>{}</password>\n</server></servers></settings>\n",
    ),
    "gradle_properties": (
        password,
        "gradle.properties|signing.keyId=24875D73\nsigning.password={}\nRELEASE_STORE=app.jks\n",
    ),
    "composer_auth": (
        password,
        'auth.json|{"http-basic": {"repo.harbor.internal": {"username": "b", "password": "{}"}}}\n',
    ),
    "nuget_config": (
        password,
        "nuget.config|<packageSourceCredentials><internal>\n"
        '  <add key="Username" value="build" />\n  <add key="ClearTextPassword" value="{}" />\n'
        "</internal></packageSourceCredentials>\n",
    ),
    "terraform_variables": (password, 'prod.tfvars|region      = "eu-1"\ndb_password = "{}"\n'),
    "terraform_resource": (
        password,
        'main.tf|resource "aws_db_instance" "shop" {\n  engine   = "postgres"\n'
        '  username = "app"\n  password = "{}"\n}\n',
    ),
    "terraform_default": (
        token,
        'variables.tf|variable "api_token" {\n  type    = string\n  default = "{}"\n}\n',
    ),
    "terraform_state": (
        password,
        'terraform.tfstate|{"version": 4, "resources": [{"type": "random_password", '
        '"instances": [{"attributes": {"length": 16, "result": "{}", "special": true}}]}]}\n',
    ),
    "systemd_unit": (password, "app.service|[Service]\nEnvironment=DB_PASSWORD={}\nUser=app\n"),
}
LINES: dict[str, tuple[Draw, str]] = {
    "address_postgres": (
        _quoted,
        'store.py|URL = "postgresql://app:{}@db1.harbor.internal:5432/shop"',
    ),
    "address_mysql": (_quoted, "prod.env|DATABASE_URL=mysql://root:{}@10.2.3.4/shop"),
    "address_mongodb": (
        _quoted,
        "db.js|mongoose.connect('mongodb+srv://app:{}@cluster0.ab1cd.harbor.internal/shop?w=majority')",
    ),
    "address_redis": (_quoted, 'cache.py|broker = "redis://:{}@cache.harbor.internal:6379/0"'),
    "address_amqp": (_quoted, "values.yaml|  broker: amqps://build:{}@mq.harbor.internal/main"),
    "address_basic_auth": (
        _quoted,
        "deploy.sh|git clone https://build:{}@git.harbor.internal/a/b.git",
    ),
    "address_index": (
        _quoted,
        "requirements.txt|--extra-index-url https://build:{}@index.harbor.internal/simple",
    ),
    "address_user_only": (token, "deploy.sh|git clone https://{}@git.harbor.internal/a/b.git"),
    "connection_jdbc": (
        _quoted,
        'Store.java|        String url = "jdbc:postgresql://db1/shop?user=app&password={}&ssl=true";',
    ),
    "connection_ado": (
        password,
        'Store.cs|        var c = "Server=tcp:db1,1433;Database=shop;User ID=app;Password={};";',
    ),
    "connection_odbc": (
        password,
        "store.py|dsn = 'Driver={ODBC Driver 18};Server=db1;UID=app;PWD={};Encrypt=yes'",
    ),
    "connection_libpq": (password, 'store.py|dsn = "host=db1 user=app password={} dbname=shop"'),
    "wrapped_token": (_wrapped_github, 'client.py|AUTH = base64.b64decode("{}").decode()'),
    "wrapped_password": (_wrapped_password, 'client.py|password = base64.b64decode("{}")'),
    "wrapped_pem": (_wrapped_pem, "ci.yml|    SIGNING_KEY_B64: {}"),
    "hex_token": (
        lambda rng, nth: _github(rng, nth).encode().hex(),
        'client.py|AUTH = bytes.fromhex("{}").decode()',
    ),
    "hex_password": (
        lambda rng, nth: password(rng, nth).encode().hex(),
        'client.py|password = bytes.fromhex("{}").decode()',
    ),
    "address_encoded_token": (
        lambda rng, nth: quote(draw(rng, "<b64:42>+="), safe=""),
        "client.py|URL = 'https://api.harbor.internal/cb?access_token={}'",
    ),
}
OUTPUTS = {
    "environment": "$ env\nHOME=/root\nDB_PASSWORD={}\nLANG=C.UTF-8\n",
    "file": "$ cat .env\n     1\tDEBUG=1\n     2\tADMIN_PASSWORD={}\n     3\tPORT=80\n",
    "diff": "diff --git a/app.ini b/app.ini\n@@ -1,2 +1,2 @@\n-password = {}\n+password = ${PW}\n",
    "search": "src/store.py:14:    password = '{}'\nsrc/store.py:15:    host = 'db1'\n",
    "request": "> GET /v1/me HTTP/1.1\n> X-Api-Key: {}\n> Accept: */*\n< HTTP/1.1 200 OK\n",
    "error": "TypeError: connect(host='db1', password='{}') got an unexpected keyword\n",
    "table": "  Name      Value\n  --------  -----\n  password  {}\n",
}


def kinds() -> list[Kind]:
    """Return every kind of secret in a file of a known type."""
    rows = [(name, _filled(value, where, True)) for name, (value, where) in WHOLE.items()]
    rows += [(name, _filled(value, where, False)) for name, (value, where) in LINES.items()]
    rows += [(f"agent_log_{name}", _logged(text)) for name, text in OUTPUTS.items()]
    rows += [("notebook_source", _notebook_source), ("notebook_output", _notebook_output)]
    rows.append(("pem_joined_lines", _joined_pem))
    return [Kind(name, "file type", make) for name, make in rows]


def _filled(
    value: Draw, where: str, is_whole_file: bool
) -> Callable[[random.Random, int], Planted]:
    def make(rng: random.Random, nth: int) -> Planted:
        made = in_context(value(rng, nth), (where,), nth, rng)
        return Planted(made.text, made.values, made.file_name, is_whole_file)

    return make


def _logged(text: str) -> Callable[[random.Random, int], Planted]:
    def make(rng: random.Random, nth: int) -> Planted:
        value = (token if "Api-Key" in text else password)(rng, nth)
        said = {"role": "tool", "tool_call_id": draw(rng, "<an:9>"), "content": ""}
        said["content"] = text.replace("{}", value)
        return Planted(json.dumps(said) + "\n", (value,), "session.jsonl", True)

    return make


def _notebook_source(rng: random.Random, nth: int) -> Planted:
    value = password(rng, nth)
    source = ["import psycopg2\n", f'conn = psycopg2.connect(user="app", password="{value}")\n']
    return _notebook(value, {"source": source, "outputs": []})


def _notebook_output(rng: random.Random, nth: int) -> Planted:
    value = token(rng, nth)
    shown = {"output_type": "stream", "name": "stdout", "text": [f"API_TOKEN = {value}\n"]}
    return _notebook(value, {"source": ["print_settings()\n"], "outputs": [shown]})


def _notebook(value: str, cell: dict[str, object]) -> Planted:
    whole = {"cells": [{"cell_type": "code", "metadata": {}, **cell}], "nbformat": 4}
    return Planted(json.dumps(whole, indent=1) + "\n", (value,), "explore.ipynb", True)


def _joined_pem(rng: random.Random, nth: int) -> Planted:
    text, lines = formats.armour("EC PRIVATE " + "KEY", formats.ec_der(rng))
    joined = " +\n".join(f'    "{line}\\n"' for line in text.split("\n"))
    return Planted(f"const key =\n{joined};", lines, "sign.js")
