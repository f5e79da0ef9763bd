from base64 import b64encode

import pytest

from devtune.data.privacy.secrets import find_secrets

PASSWORD = "Walnut" + "2053!"


@pytest.mark.parametrize(
    "line",
    [
        "curl -u app:{} https://host.test", "curl -uapp:{} https://host.test",
        "mysql -u root -p{} shop",
        "sshpass -p '{}' ssh root@host", "docker login -u app -p {} registry.test",
        "echo {} | docker login -u app --password-stdin", 'echo "{}" | sudo -S apt update',
        "redis-cli -h h -a {} ping", "openssl rsa -in k -passin pass:{}", "zip -P {} a.zip b",
        "htpasswd -bc .htpasswd app {}", "smbclient //srv/s -U app%{}", "net use z: /user:app {}",
        "lftp -u app,{} sftp://h", "PGPASSWORD={} psql -h db1",
        "CREATE USER app IDENTIFIED BY '{}';",
        "ALTER ROLE app WITH PASSWORD '{}';", "IDENTIFIED WITH mysql_native_password BY '{}'",
        'child.sendline("{}\\n")',
    ],
)  # fmt: skip
def test_commands_and_clauses_take_a_password(line):
    text = f"$ {line.replace('{}', PASSWORD)}\n"
    assert [text[each.start : each.end] for each in find_secrets(text)] == [PASSWORD]


@pytest.mark.parametrize(
    "call",
    [
        'client.login("app", "{}")', 'requests.get(url, auth=("app", "{}"))',
        "HTTPBasicAuth('app', '{}')",
        'pymysql.connect("h", "u", "{}", "db")', 'new PDO("mysql:host=h", "u", "{}");',
        'DriverManager.getConnection(url, "u", "{}")', 'smtp.PlainAuth("", "u@x", "{}", "smtp.x")',
        'new PasswordAuthentication("u", "{}".toCharArray())', 'hmac.new(b"{}", body, sha256)',
    ],
)  # fmt: skip
def test_calls_that_log_in_take_a_password(call):
    text = f"{call.replace('{}', PASSWORD)}\n"
    assert [text[each.start : each.end] for each in find_secrets(text)] == [PASSWORD]


@pytest.mark.parametrize(
    "text",
    [
        "mkdir -p build/out2", "curl -u $USER:$PASSWORD https://h", "docker run -p 8080:80 nginx",
        'client.login("app2053!", get_password())', 'connect("db-1.internal", 5432, "shop")',
        'echo "done in 2 s" | tee log', "mysql -u root -p < dump.sql", 'send("Walnut 2053!")',
        "IDENTIFIED BY '<password>'", 'login(username="walnut2053!")', "python -u train.py:main2",
        "Basic Authentication2 schemes",
    ],
)  # fmt: skip
def test_other_arguments_stay(text):
    assert not find_secrets(text)


def test_basic_credentials_are_known_by_what_they_say():
    wrapped = b64encode(f"app:{PASSWORD}".encode()).decode()
    for line in (f"Authorization: Basic {wrapped}", f'-H "Basic {wrapped}"'):
        (found,) = find_secrets(line)
        assert line[found.start : found.end] == wrapped
        assert f"app:{PASSWORD}" in found.hidden
