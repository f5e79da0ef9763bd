import ast
import tomllib

import pytest

from devtune.data.privacy.marking import Marker, replaced
from devtune.data.privacy.marking import Replacement as Place
from devtune.data.privacy.secrets import find_secrets

PASSWORD, TOKEN = "Walnut" + "2053!", "7kdRaacIGYtph" + "AUZVEF8Xhof4Q7X5Goo"

NOTATIONS = [
    'password = "{}"', "password: '{}'", '"db_password" : "{}",', r"\"password\": \"{}\"",
    "DB_PASSWORD={}", "export DB_PASSWORD='{}'", "$env:DB_PASSWORD = \"{}\"", "ENV DB_PASSWORD {}",
    "      - name: DB_PASSWORD\n        value: {}", '{"name": "DB_PASSWORD", "value": "{}"}',
    '<add key="DbPassword" value="{}" />', "<password>{}</password>",
    "<Password><![CDATA[{}]]></Password>",
    "<key>password</key>\n  <string>{}</string>", "spring:\n  datasource:\n    password: {}",
    'var password string = "{}"', 'password := "{}"', 'os.Setenv("DB_PASSWORD", "{}")',
    'os.environ.get("DB_PASSWORD") or "{}"', "process.env.DB_PASSWORD || '{}'",
    "env('DB_PASSWORD', '{}')", "password: ${DB_PASSWORD:-{}}", "define('DB_PASSWORD', '{}');",
    "'password' => '{}',", 'private static final String PASSWORD = "{}";',
    'public string Password { get; set; } = "{}";', 'props.put("password", "{}");',
    'builder.setPassword("{}")', 'let password: &str = "{}";',
    'let p = password(String::from("{}"));',
    'char password[32] = "{}";', '#define WIFI_PASS "{}"', 'NSString *password = @"{}";',
    'password <- "{}"', '(def password "{}")', ":password => '{}'", '-define(PASSWORD, "{}").',
    'variable "db_password" {\n  type = string\n  default = "{}"\n}', 'if password == "{}":',
    'if ("{}".equals(password)) {', 'strcmp(password, "{}")', 'case "password": return "{}"',
    'ConvertTo-SecureString "{}" -AsPlainText', "  password: >-\n    {}", "password: !!str {}",
    'page.type(\'input[name="password"]\', "{}")', 'find_element("password").send_keys("{}")',
    "the password for staging is {}.", "user: admin / pass: {}", "password is {}", "requirepass {}",
    "Server=db1;User Id=app;Password={};", "jdbc:mysql://db1/x?user=app&password={}&ssl=1",
    "--set auth.password={}", "-Dpassword={}", "+DB_PASSWORD={}", "src/a.py:12:  password = '{}'",
    '"content": "A=1\\nDB_PASSWORD={}\\nLANG=C"', 'passwords = ["x", "{}"]',
    "password = \"\"\"{}\"\"\"",
]  # fmt: skip
TOKENS = [
    'API_KEY = "{}"', "api_key: {}", "apiKey: '{}',", "X-Api-Key: {}", "Authorization: Bearer {}",
    '"Authorization": "Bearer {}"', "headers['Authorization'] = f'token {}'",
    "x?access_token={}&b=1",
    "SECRET_KEY = b'{}'", '"client_secret" : "{}"', "--token {}",
    "AccountKey={};EndpointSuffix=core",
    "//registry.test/:_authToken={}", "tokens:\n  - {}", 'TOKENS = {"prod": "{}"}',
    "Cookie: session={}",
    '<string name="api_key">{}</string>', "encryption_key = bytes.fromhex('{}')", "bearer {}",
]  # fmt: skip


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_password_is_found_in_every_notation_and_only_it(notation):
    text = f"first line\n{notation.replace('{}', PASSWORD)}\nlast line\n"
    assert [text[each.start : each.end] for each in find_secrets(text)] == [PASSWORD]


@pytest.mark.parametrize("notation", TOKENS)
def test_a_token_is_found_in_every_notation_and_only_it(notation):
    text = f"first line\n{notation.replace('{}', TOKEN)}\nlast line\n"
    (found,) = find_secrets(text)
    assert text[found.start : found.end] == TOKEN
    assert found.is_generic
    assert found.rule == "assignment"


@pytest.mark.parametrize(
    "text",
    [
        "password: str = Field(min_length=8, max_length=128)", "token: Optional[str] = None",
        "password = getpass('Enter the 2FA code')", 'TOKEN_TYPE = "access_token2"',
        "  password = random_password.db.result", "token    = var.api_token1",
        '"pad_token": "[PAD1]"',
        "tokenizer = 'gpt2-large-v1.5'", "compass = 'North2053!'",
        'token_url: "https://idp.test/t0ken"',
        'password_hash = "sha512"', "max_tokens=1024,",
        ":param password: The 2 passwords of the user.",
        "self.password = password1", 'public_key_token = "b77a5c56' + '1934e089"', "auth: basic2",
        '"password": "Passwort 2 eingeben"', "secret: secrets.read2",
        "next_page_token = 'Zk3" + "9fjQ0sKd81LmPq'",
        'f"Pass `num_layers=2`"', "if len(token) >= 32:", 'assert token != "token-1"', "PASSWORD=",
        "password = password2 if x else y", "password=changeme1!", "api_key: ${API_KEY}",
    ],
)  # fmt: skip
def test_names_references_and_words_are_no_secrets(text):
    assert not find_secrets(text)


def test_code_and_files_still_parse():
    ast.parse(Marker(b"k" * 32).mark(f"login(password='{PASSWORD}', x=b'a')\n"))
    tomllib.loads(Marker(b"k" * 32).mark(f'password = "{PASSWORD}"\nport = 1\n'))


def test_a_value_in_another_spelling_is_known_by_both():
    wrapped = PASSWORD.encode().hex()
    (found,) = find_secrets(f"password = bytes.fromhex('{wrapped}')")
    assert found.hidden == (PASSWORD,)


@pytest.mark.parametrize("notation", [*NOTATIONS, *TOKENS])
def test_a_redacted_value_is_not_found_again(notation):
    for name in ("REDACTED_PASSWORD_1", "REDACTED_TOKEN_" + "c0a56a26f7af8d3b"):
        assert not find_secrets(notation.replace("{}", name))


def test_a_value_is_replaced_wherever_the_keyword_stands():
    text = f"é = 1\nПароль; password = '{PASSWORD}'\n"
    spans = [Place(each.start, each.end, "X") for each in find_secrets(text)]
    assert replaced(text, spans) == "é = 1\nПароль; password = 'X'\n"
