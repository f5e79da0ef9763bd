"""Passwords by their place: arguments of calls that log in, options of commands, SQL clauses.

Reads texts around the words in its tables; writes nothing.
"""

import re
from collections.abc import Iterator

from devtune.data.privacy.addresses import is_example_login
from devtune.data.privacy.assignments import num_classes
from devtune.data.privacy.detection import Detection
from devtune.data.privacy.rarity import looks_made_up, looks_random
from devtune.data.privacy.spellings import from_base64, other_spellings

CALLS = (
    "login(", "log_in(", "signin(", "sign_in(", "authenticate(", "auth(", "auth=(", "auth = (",
    "basicauth(", "basic_auth(", "basicauth=(", "basic_auth=(", "basicauth = (", "credentials(",
    "credential(", "getconnection(", "plainauth(", "pdo(", "mysqli(", "_connect(", ".connect(",
    ">connect(", ":connect(", "connect_to(", "passwordauthentication(", "basicauthentication(",
    "set_credentials(",
    "setcredentials(", "usertoken(", "usernametoken(", "authenticator(", "httpauth(", "logon(",
    "digestauth(", "setbasicauth(", "withbasicauth(", "withcredentials(", "createuser(",
    "create_user(", "adduser(", "add_user(", "superuser(", "simple_bind_s(", "simple_bind(",
    "basic(", "auth: [", '"auth": [', "connection(", "driver(", "account(", "client(", "auth: (",
    "jwt.encode(", "jwt.decode(", "jwt.sign(", "jwt.verify(", "setcredential(",
)  # fmt: skip
KEYED_CALLS = ("hmac.new(", "createhmac(", "secretkeyspec(", "signing_key(")
_ARGUMENT = re.compile(
    r"""(?x) \s{0,60}+ (?: (?P<name>[\w-]{1,30}) \s? [=:] \s? )?+ (?: [brfuLB@]?+ (?P<quote>["'`])
    (?P<value>(?:(?!(?P=quote))(?:[^\\\n]|\\[^\n])){0,300}+)(?P=quote) | [^\s"'`,()]{1,120}+
    | [\w.]{1,60}+\([\w.\s,]{0,60}\) ) (?:\.\w{1,20}+\(\))?+ \s{0,60}+ (,|[)\]]) """
)
_NUM_ARGUMENTS = 6

_PAIR = re.compile(
    r"""(?x) (?:=|\s{1,9}+)? (\\{0,3}["']?) (?P<user>[\w.@%+\\-]{0,80}+) :
    (?P<value>[^\s"'`\\]{4,200}+) """
)
_OPTION_VALUE = r"""(\\{0,3}["']?)(?P<value>[^\s"'`\\<>|;]{6,200}+)"""
_GLUED = re.compile(r"[^\n]{0,200}?(?<=\s)-p\s?" + _OPTION_VALUE)
_SPACED = re.compile(r"[^\n]{0,200}?(?<=\s)-(?:p|P|a|w|k|psw|pw|password|pass)[ =]" + _OPTION_VALUE)
_PIPED = re.compile(
    r"""(?:-n |-e )?(\\{0,3}["']?)(?P<value>[^\s"'`\\<>|;]{6,200}+)\1\s{0,9}+\|\s{0,9}+
    (?:sudo|docker|podman|helm|passwd|kinit|gpg|openssl|base64|crane|oras|gh|glab
    |chpasswd|cryptsetup|vault)""",
    re.VERBOSE,
)
_SQL = re.compile(
    r"""(?xi) (?: \s{1,9}+with\s{1,9}+["'`]?\w{1,40}["'`]?)?+ \s{1,9}+(?:by|as)
    \s{1,9}+ (?:password\s{1,9}+|values\s{1,9}+)?+
    (\\{0,3}["'])(?P<value>[^"'\n\\]{4,200}+)"""
)
_HEADER = re.compile(r"""\s{0,4}+(?P<value>[A-Za-z0-9+/_-]{8,400}+={0,2})""")
_PASSIN = re.compile(r"""(?P<value>[^\s"'`\\<>|;]{6,200}+)""")
_HTPASSWD = re.compile(
    r"[^\n]{0,120}?(?<=\s)-\w{0,4}b\w{0,4}\s{1,9}+(?:\S{1,120}+\s{1,9}+){2}" + _OPTION_VALUE
)
_PERCENT = re.compile(r"[^\n]{0,200}?(?<=\s)-U\s?['\"]?[\w.\\@-]{1,60}%" + _OPTION_VALUE)
_FTP = re.compile(r"[^\n]{0,100}?(?<=\s)-u\s?['\"]?[\w.\\@-]{1,60}[,%:]" + _OPTION_VALUE)
_NET_USE = re.compile(r"[^\n]{0,160}?/user:\S{1,80}+\s{1,4}+" + _OPTION_VALUE)
_LOGIN = re.compile(r"\s{0,3}" + _OPTION_VALUE)
_SEND = re.compile(r"""\s{0,3}[("]{1,3}(?P<value>[^"'\n\\]{8,80}+)\\[rn]""")

COMMANDS: dict[str, tuple[str, "re.Pattern[str]"]] = {
    **dict.fromkeys(("-u ", "-u'", '-u"', "--user ", "--user=", "--proxy-user "), ("pair", _PAIR)),
    **dict.fromkeys(("--creds ", "--creds=", "--src-creds ", "--dest-creds "), ("pair", _PAIR)),
    **dict.fromkeys(("mysql ", "mysqldump ", "mysqladmin ", "mysqlimport "), ("glued", _GLUED)),
    **dict.fromkeys(("mariadb ", "sshpass ", "7z ", "7za ", "7zr ", "rar "), ("glued", _GLUED)),
    **dict.fromkeys(
        (
            "docker login", "podman login", "registry login", "redis-cli", "ldapsearch", "ldapadd",
            "ldapmodify", "ldapwhoami", "sqlcmd ", "mongo ", "mongosh ", "mongodump ", "az login",
            "plink ", "pscp ", "zip ", "unzip ", "clickhouse-client", "bcp ", "ipmitool", "sqoop ",
            "cqlsh ", "rabbitmqadmin", "ldappasswd", "mongorestore", "osql ", "oc login",
            "cf login", "sshpass -", "helm repo add", "openssl ", "xfreerdp", "rdesktop", "isql ",
        ),
        ("spaced", _SPACED),
    ),
    **dict.fromkeys(("echo ", "printf "), ("piped", _PIPED)),
    "identified": ("sql", _SQL),
    **dict.fromkeys(("basic ", "basic\\u0020"), ("header", _HEADER)),
    **dict.fromkeys(("pass:", ":pass:"), ("passin", _PASSIN)),
    "htpasswd ": ("htpasswd", _HTPASSWD),
    **dict.fromkeys(("smbclient ", "rpcclient ", "wmic "), ("percent", _PERCENT)),
    "net use ": ("net_use", _NET_USE),
    **dict.fromkeys(("vault login ", "with-token <<< "), ("login", _LOGIN)),
    **dict.fromkeys(("curl ", "lftp ", "ncftp "), ("ftp", _FTP)),
    **dict.fromkeys(("send", "sendline"), ("send", _SEND)),
}  # fmt: skip


def passed(text: str, end: int, is_first: bool) -> Iterator[Detection]:
    """Yield the strings a call that logs in is given, if they are passwords.

    The first argument is a name or a host, except where `is_first` says otherwise.
    """
    place = end
    for nth in range(_NUM_ARGUMENTS):
        argument = _ARGUMENT.match(text, place)
        if argument is None:
            return
        value, name = argument["value"], argument["name"]
        if value and name is None and (nth or is_first) and _is_password(value):
            yield _found(text, *argument.span("value"), "call")
        if argument[4] != ",":
            return
        place = argument.end()


def in_command(text: str, end: int, name: str, pattern: "re.Pattern[str]") -> Iterator[Detection]:
    """Yield the password a command or clause is given after `end`."""
    match = pattern.match(text, end)
    if match is None:
        return
    start, stop = match.span("value")
    value = text[start:stop]
    if name == "header":
        plain = from_base64(value)
        if plain is None or ":" not in plain or is_example_login(plain):
            return
        hidden = (plain, plain.split(":", 1)[1])
        yield Detection(start, stop, "BASIC_AUTH", "basic_auth", is_generic=True, hidden=hidden)
        return
    stripped = value.rstrip(",.)]}")
    if looks_made_up(stripped, is_quoted=True):
        yield _found(text, start, start + len(stripped), "command." + name)


def _is_password(value: str) -> bool:
    if looks_random(value, 12):
        return True
    num_digits = sum(map(str.isdigit, value))
    return looks_made_up(value, True) and (num_classes(value) >= 3 or num_digits >= 4)


def _found(text: str, start: int, end: int, rule: str) -> Detection:
    hidden = other_spellings(text[start:end])
    return Detection(start, end, "PASSWORD", rule, is_generic=True, hidden=hidden)
