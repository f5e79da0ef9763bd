"""Harmless text that looks like secrets: what must stay as it is.

Reads and writes nothing. `<an:20>` and the like are drawn as for secrets.
"""

import random
from collections.abc import Callable

from planted import formats
from planted.kinds import Kind, Planted, draw

TRAPS = {
    "sha256_list": ("SHA256SUMS", "<hex:64>  dist/app.tar.gz\n<hex:64>  dist/app.zip"),
    "md5_list": ("MD5SUMS", "<hex:32>  a.bin\n<hex:32>  b.bin"),
    "commit_ids": ("ci.yml", "      - uses: actions/checkout@<hex:40>\n        ref: <hex:40>"),
    "commit_log": ("log.txt", "commit <hex:40>\nMerge: <hex:8> <hex:8>\nindex <hex:7>..<hex:7>"),
    "requirement_hashes": ("requirements.txt", "six==1.16.0 \\\n    --hash=sha256:<hex:64>"),
    "package_lock": (
        "package-lock.json",
        '    "node_modules/left": {\n      "version": "1.2.0",\n'
        '      "integrity": "sha512-<b64:86>=="\n    },',
    ),
    "yarn_lock": ("yarn.lock", "left@^1.2.0:\n  version: 1.2.0\n  integrity sha512-<b64:86>=="),
    "cargo_lock": ("Cargo.lock", '[[package]]\nname = "left"\nchecksum = "<hex:64>"'),
    "go_sum": (
        "go.sum",
        "example.org/left v1.2.0 h1:<b64:43>=\nexample.org/l v1/go.mod h1:<b64:43>=",
    ),
    "poetry_lock": (
        "poetry.lock",
        'content-hash = "<hex:64>"\n{file = "a.whl", hash = "sha256:<hex:64>"}',
    ),
    "uuids": ("ids.py", 'NAMESPACE = "<uuid>"\nSAMPLE_ID = "<uuid>"'),
    "uuid_key_column": ("rows.json", '{"key": "<uuid>", "tenantId": "<uuid>"}'),
    "image_digest": ("values.yaml", "  image: registry.example.org/app@sha256:<hex:64>"),
    "test_vectors": (
        "test_aes.py",
        'KEY = unhexlify("000102030405060708090a0b0c0d0e0f")\n'
        'PLAIN = unhexlify("<hex:32>")\nCIPHER = unhexlify("<hex:64>")',
    ),
    "expected_digest": (
        "test_hash.py",
        '    assert digest(b"abc") == "<hex:40>"\n    h = b64("<b64:27>=")',
    ),
    "minified": (
        "app.min.js",
        'var token=e.token,n=t(<d:4>);function r(e,t){return e.password===t.password&&e.key=="k"}'
        'i.exports={secretKey:r,apiKey:n.key,hash:"<hex:20>"};webpackChunk["<hex:16>"]=[r];',
    ),
    "source_map": ("app.js.map", '{"version":3,"mappings":"AAAA,<an:80>,<an:60>;<an:70>"}'),
    "data_address": (
        "style.css",
        "  background: url(data:image/png;base64,iVBORw0KGgo<b64:200>=);",
    ),
    "colours": ("style.css", "  color: #<hex:6>; border: 1px solid #<hex:8>;"),
    "placeholder_changeme": (
        "values.yaml",
        "password: changeme\napi_key: CHANGE_ME\nsecret: change-me",
    ),
    "placeholder_crosses": (
        "app.env",
        "API_KEY=xxxxxxxxxxxxxxxx\nTOKEN=****************\nPASSWORD=",
    ),
    "placeholder_variables": (
        "compose.yaml",
        "      PASSWORD: ${DB_PASSWORD}\n      TOKEN: $TOKEN\n      KEY: {{ vault.key }}\n"
        "      SECRET: ${{ secrets.DEPLOY_SECRET }}\n      PASS: %DB_PASSWORD%",
    ),
    "placeholder_brackets": (
        "README.md",
        'export API_TOKEN=<your-api-token>\npassword = "YOUR_PASSWORD_HERE"\ntoken: [TOKEN]',
    ),
    "example_keys": (
        "README.md",
        "aws_access_key_id = AKIA" + "IOSFODNN7EXAMPLE\n"
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY",
    ),
    "environment_lookup": (
        "app.py",
        'password = os.environ["DB_PASSWORD"]\ntoken = config.get("auth", "token")\n'
        'secret = getpass.getpass("Password: ")',
    ),
    "environment_lookup_js": (
        "app.js",
        "const token = process.env.ACCESS_TOKEN;\nconst password = req.body.password || '';\n"
        "const apiKey = getApiKey(user.id);",
    ),
    "terraform_reference": (
        "main.tf",
        "  password = random_password.db.result\n  token    = var.api_token\n"
        '  secret   = data.vault_generic_secret.app.data["key"]',
    ),
    "kubernetes_reference": (
        "deploy.yaml",
        "          valueFrom:\n            secretKeyRef:\n              name: store-secret\n"
        "              key: password\n      secretName: tls-secret-prod",
    ),
    "field_names": (
        "forms.py",
        'password_field = "id_password"\nTOKEN_TYPE = "access_token"\n'
        'SECRET = "secret"\nkey = "primary_key_column"\nPASSWORD_RESET = "password-reset-confirm"',
    ),
    "annotations": (
        "models.py",
        "    password: str = Field(min_length=8, max_length=128)\n    token: Optional[str] = None\n"
        "    api_key: SecretStr\n    secret_key = models.CharField(max_length=64)",
    ),
    "translations": (
        "de.json",
        '  "password": "Passwort eingeben",\n  "token": "Ungültiges Token",\n'
        '  "secret": "Geheimnis teilen",\n  "forgotPassword": "Passwort vergessen?"',
    ),
    "messages": (
        "views.py",
        'raise ValueError("password must contain 8 characters")\n'
        'log.info("token: %s expires in %d s", token_id, seconds)\n'
        'help = "API key: see Settings > Developer"',
    ),
    "docstring": (
        "api.py",
        '    """Log in.\n\n    :param password: The password of the user.\n'
        '    :param api_key: key as given by the administrator\n    """',
    ),
    "alphabets": (
        "codec.py",
        'ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"\n'
        'KEYS = "qwertyuiopasdfghjklzxcvbnm"',
    ),
    "tokenizer_vocabulary": (
        "vocab.json",
        '  "token": 1023,\n  "<|endoftext|>": 50256,\n  "pad_token": "[PAD]",\n'
        '  "bos_token": "<|begin_of_text|>",\n  "Ġpassword": 9206',
    ),
    "serialized_descriptor": (
        "schema_pb2.py",
        "DESCRIPTOR = pool.AddSerializedFile(b'\\n\\x0bkeys.proto\\x12\\x04main\\x1a<low:30>"
        "\\\"\\x1f\\n\\x05Token\\x12\\x16<low:40>')",
    ),
    "notebook_image": (
        "plot.ipynb",
        '    "data": {\n     "image/png": "iVBORw0KGgoAAAANSUhEUg<b64:300>="\n    },\n'
        '    "id": "<hex:8>"',
    ),
    "trace_ids": (
        "run.log",
        'traceparent="00-<hex:32>-<hex:16>-01" etag="<hex:32>" request=<uuid>',
    ),
    "cache_keys": (
        "ci.yml",
        "      key: pip-${{ hashFiles('**/lock') }}-v<d:2>\n"
        "          cache-key: node-modules-<hex:12>",
    ),
    "addresses_without_password": (
        "README.md",
        "https://user@git.example.org/a.git ssh://git@example.org:22/b.git\n"
        "postgresql://localhost:5432/test redis://cache:6379/0 http://user:password@localhost/\n"
        "postgres://${USER}:${PASSWORD}@${HOST}/app",
    ),
    "svg_path": (
        "icon.svg",
        '<path d="M<d:2>.<d:3>L<d:3>.<d:2>c<d:1>.<d:3>,<d:2>z" id="key-<d:3>"/>',
    ),
    "public_key": ("known_hosts", "example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI<b64:43>"),
    "long_names": (
        "Auth.java",
        "AbstractTokenEndpointPasswordAuthenticationProviderFactory token = "
        "new PasswordResetTokenGenerator2FactoryImpl(secretKeySpecProvider);",
    ),
    "key_codes": (
        "keys.ts",
        'export const KEY_ENTER = "Enter";\nconst accessKey = "s";\nkeyboard.key = "ArrowLeft";\n'
        'const TOKEN_KEY = "app.auth.token";\nlocalStorage.getItem("refreshToken");',
    ),
    "permissions": (
        "roles.yaml",
        "secret: secrets.read\ntoken_url: https://idp.example.org/oauth2/token\n"
        "credentials: include\nauth: basic\npassword_hash: sha512",
    ),
}


def kinds() -> list[Kind]:
    """Return every kind of trap."""
    rows = [Kind(name, "trap", _filled(*each)) for name, each in TRAPS.items()]
    rows.append(Kind("certificate", "trap", _armoured("CERTIFICATE")))
    rows.append(Kind("public_key_armoured", "trap", _armoured("PUBLIC KEY")))
    return rows


def _filled(file_name: str, text: str) -> Callable[[random.Random, int], Planted]:
    return lambda rng, nth: Planted(draw(rng, text), (), file_name)


def _armoured(label: str) -> Callable[[random.Random, int], Planted]:
    def make(rng: random.Random, nth: int) -> Planted:
        return Planted(formats.armour(label, formats.der(0x30, rng.randbytes(700)))[0], (), "a.pem")

    return make
