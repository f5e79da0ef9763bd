"""Passwords and tokens without a format of their own, known only by what they are assigned to.

Reads and writes nothing.
"""

import random
from collections.abc import Callable

from planted.formats import plain_base64
from planted.kinds import Kind, Planted, draw, in_context, password, token

Draw = Callable[[random.Random, int], str]

PASSWORDS = {
    "python_assignment": (
        'settings.py|DB_PASSWORD = "{}"',
        "settings.py|password = '{}'",
        'settings.py|SMTP_PASS: str = "{}"',
    ),
    "python_keyword_argument": (
        'store.py|conn = psycopg2.connect(host="db1", user="app", password="{}")',
        'store.py|    ftp.login(user="build", passwd="{}")',
    ),
    "python_dict": (
        "store.py|DATABASES = {'default': {'USER': 'app', 'PASSWORD': '{}'}}",
        'store.py|config["admin_password"] = "{}"',
    ),
    "python_default_of_environment": (
        'store.py|password = os.environ.get("DB_PASSWORD", "{}")',
        'store.py|pw = getenv("ADMIN_PW") or "{}"',
    ),
    "python_comparison": ('login.py|    if password == "{}":\n        return True',),
    "python_positional": ('login.py|    server.login("reports@harbor.internal", "{}")',),
    "javascript_object": (
        "db.js|module.exports = { user: 'app', password: '{}', port: 5432 };",
        "db.js|const dbPassword = `{}`;",
    ),
    "typescript_field": ('env.ts|  private readonly adminPassword: string = "{}";',),
    "java_setter": (
        'Store.java|        dataSource.setPassword("{}");',
        'Store.java|    private static final String KEYSTORE_PASSWORD = "{}";',
    ),
    "java_properties": (
        "application.properties|spring.datasource.password={}",
        "application.properties|javax.net.ssl.keyStorePassword = {}",
    ),
    "kotlin": ('build.gradle.kts|    keyPassword = "{}"', 'Store.kt|    val password = "{}"'),
    "csharp": (
        'Store.cs|            var credentials = new NetworkCredential("svc-build", "{}");',
        'Store.cs|        private const string Password = "{}";',
    ),
    "go": (
        'store.go|	cfg := Config{User: "app", Password: "{}"}',
        'store.go|const dbPass = "{}"',
    ),
    "rust": ('store.rs|const DB_PASSWORD: &str = "{}";', 'store.rs|    .password("{}")'),
    "ruby": (
        "database.rb|  :password => '{}',",
        "database.rb|  password = ENV['DB_PASSWORD'] || '{}'",
    ),
    "php": (
        "config.php|define('DB_PASSWORD', '{}');",
        "config.php|$config['db_password'] = '{}';",
        "config.php|    'password' => '{}',",
    ),
    "c_define": ('store.c|#define WIFI_PASSWORD "{}"', 'store.c|static const char *passwd = "{}";'),
    "swift": ('Store.swift|    let keychainPassword = "{}"',),
    "perl": ('store.pl|my $dbh = DBI->connect($dsn, "app", "{}");', "store.pl|$password = '{}';"),
    "lua": ('store.lua|local redis_password = "{}"',),
    "powershell": (
        'deploy.ps1|$p = ConvertTo-SecureString "{}" -AsPlainText -Force',
        "deploy.ps1|$Password = '{}'",
    ),
    "shell_export": ("deploy.sh|export PGPASSWORD='{}'", "deploy.sh|DB_PASS={}"),
    "shell_flag": (
        "deploy.sh|mysql -h db1 -u root -p'{}' shop < dump.sql",
        "deploy.sh|docker login -u build --password {} registry.harbor.internal",
        "deploy.sh|sshpass -p '{}' ssh root@10.2.3.4",
    ),
    "curl_user": ("deploy.sh|curl -u build:{} https://files.harbor.internal/latest.tgz",),
    "dockerfile": ("Dockerfile|ENV MYSQL_ROOT_PASSWORD={}", "Dockerfile|ARG ADMIN_PASSWORD={}"),
    "yaml_key": ("values.yaml|  adminPassword: {}", 'values.yaml|    password: "{}"'),
    "yaml_list": ("compose.yaml|    environment:\n      - POSTGRES_PASSWORD={}",),
    "toml": ('settings.toml|password = "{}"',),
    "ini": ("app.ini|[smtp]\nhost = mail.harbor.internal\npasswd = {}",),
    "json": ('config.json|  {"user": "app", "password": "{}"}',),
    "xml": (
        'web.config|    <add key="SmtpPassword" value="{}" />',
        "settings.xml|      <password>{}</password>",
    ),
    "sql": (
        "users.sql|CREATE USER 'app'@'%' IDENTIFIED BY '{}';",
        "users.sql|ALTER ROLE app WITH PASSWORD '{}';",
    ),
    "prose": (
        "notes.md|Log in as admin, the password is {} (ask before you change it).",
        "notes.md|user: admin / pass: {}",
    ),
    "command_line_option": ("deploy.sh|./import --user=root --password={} --all",),
    "scala": ('Store.scala|  val dbPassword: String = "{}"',),
    "r": ('store.R|Sys.setenv(DB_PASSWORD = "{}")',),
    "makefile": ("Makefile|SIGN_PASSPHRASE := {}",),
}
TOKENS = {
    "python_api_key": ('client.py|API_KEY = "{}"', 'client.py|client = Client(api_key="{}")'),
    "python_headers": (
        'client.py|headers = {"X-Api-Key": "{}"}',
        'client.py|headers = {"Authorization": "Token {}"}',
    ),
    "javascript_token": (
        "client.js|const accessToken = '{}';",
        'client.js|axios.defaults.headers.common["x-auth-token"] = "{}";',
    ),
    "java_client_secret": ('Client.java|        String clientSecret = "{}";',),
    "go_token": ('client.go|var authToken = "{}"',),
    "yaml_secret": ("values.yaml|  client_secret: {}", "ci.yml|    DEPLOY_TOKEN: {}"),
    "environment_file": ("prod.env|INTERNAL_API_TOKEN={}", "prod.env|SESSION_SECRET='{}'"),
    "json_secret": ('config.json|  "clientSecret": "{}",', 'config.json|  "apiKey": "{}",'),
    "bearer_header": (
        "deploy.sh|curl -H 'Authorization: Bearer {}' https://ci.harbor.internal/api",
    ),
    "query_parameter": (
        "client.py|URL = 'https://api.harbor.internal/v1/items?api_key={}&page=1'",
    ),
    "ruby_token": ("client.rb|  config.api_token = '{}'",),
    "csharp_secret": ('Client.cs|            ApiSecret = "{}",',),
    "rust_token": ('client.rs|    let token = "{}".to_string();',),
    "cookie": ("client.py|cookies = {'sessionid': '{}'}",),
}
SHAPED = {
    "django_secret_key": ("<w:20>#$<an:12>&<an:12>^)", "settings.py|SECRET_KEY = 'django-{}'"),
    "rails_secret_key_base": ("<hex:128>", "secrets.yml|  secret_key_base: {}"),
    "encryption_key_hex": (
        "<hex:64>",
        'vault.py|ENCRYPTION_KEY = bytes.fromhex("{}")',
        "vault.env|AES_KEY={}",
    ),
    "signing_key_base64": (
        "<b64:43>=",
        'vault.py|JWT_SIGNING_KEY = "{}"',
        "vault.yaml|  cookieSecret: {}",
    ),
    "client_secret_uuid": ("<uuid>", 'idp.py|CLIENT_SECRET = "{}"', "idp.yaml|  api-key: {}"),
    "one_time_password_seed": (
        "<b32:32>",
        "otp.py|URI = 'otpauth://totp/Build:ci@harbor.internal?secret={}&issuer=Build'",
        'otp.py|TOTP_SECRET = "{}"',
    ),
    "hmac_secret_escaped": ("<an:24>", 'row.json|{"body": "{\\"hmac_secret\\": \\"{}\\"}"}'),
}


def kinds() -> list[Kind]:
    """Return every kind of secret that is known by its surroundings only."""
    rows = [(f"password_{name}", _kind(password, where)) for name, where in PASSWORDS.items()]
    rows += [(f"token_{name}", _kind(token, where)) for name, where in TOKENS.items()]
    rows += [
        (name, _kind(lambda rng, nth, shape=shape: draw(rng, shape), tuple(where)))
        for name, (shape, *where) in SHAPED.items()
    ]
    rows.append(("basic_header", _basic_header))
    return [Kind(name, "generic", make) for name, make in rows]


def _kind(value: Draw, where: tuple[str, ...]) -> Callable[[random.Random, int], Planted]:
    return lambda rng, nth: in_context(value(rng, nth), where, nth, rng)


def _basic_header(rng: random.Random, nth: int) -> Planted:
    wrapped = plain_base64(f"build:{password(rng, nth)}")
    return in_context(wrapped, ("client.py|headers = {'Authorization': 'Basic {}'}",), nth, rng)
