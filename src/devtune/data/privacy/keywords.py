"""Words that announce a secret: how they are written, and what in a name takes it back.

Reads nothing, writes nothing; the tables are data.
"""

import re
from dataclasses import dataclass

_PASSWORDS = (
    "password passwd passwort passwrd passphrase passcode pwd pswd psswd kennwort contrasena senha"
    " motdepasse mdp wachtwoord parola userpass dbpass rootpw bindpw keypass storepass requirepass"
    " masterauth securestring psk credential credentials auth_pass sqlpass mypass adminpass"
    " ftppass sshpass smtppass"
)
_TOKENS = (
    "secret token apikey api_key api-key api.key bearer authkey sonar.login sessionid session_id"
    " phpsessid jsessionid totp_seed otp_seed hash_salt nonce_salt auth_salt key_salt"
    " in_salt secret_salt password_salt app_salt hashids_salt authorization"
)
_KEYS_OF = (
    "access account admin aes app application auth cipher client connection consumer crypt crypto"
    " customer data decryption deploy device dev encryption enc functions gateway hmac host"
    " ingest integration jwt license licence management master merchant partner primary priv"
    " private prod project read rest routing sdk secondary server service session shared"
    " sharedaccess sign signing site storage subscription team user vault web webhook write x"
)
# Words too short to look for alone: something of an assignment must follow at once.
_SHORT = {
    "pass": True,
    "pw": True,
    "pin": True,
    "cred": True,
    "auth": False,
    "pat": False,
    "jwt": False,
    "session": False,
}
_FOLLOWING = ("=", " =", ":", " :", '"', "'", "\\", "]", ">", "<", "_", ",", ' "', " '")


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word as it stands in lower case, and what it announces."""

    word: str
    is_password: bool
    """Whether people choose the value, so that words with digits may be one."""


def keywords() -> dict[str, Keyword]:
    """Return what to look for in lower case, with the keyword each begins with."""
    found: dict[str, Keyword] = {}
    for word, is_password in _SHORT.items():
        found.update({word + each: Keyword(word, is_password) for each in _FOLLOWING})
    found["pass "] = Keyword("pass", True)
    for start in _KEYS_OF.split():
        for joint in ("", "_", "-", "."):
            word = f"{start}{joint}key"
            found[word] = Keyword(word, False)
    found.update({word: Keyword(word, False) for word in _TOKENS.split()})
    found.update({word: Keyword(word, True) for word in _PASSWORDS.split()})
    return found


# What after the keyword makes it the name of something else, so that a value must be rare.
_ASPECT = re.compile(
    r"(?i)s?[_.-]?(?:type|name|names|url|uri|urls|field|path|file|dir|count|len|length|size|limit|"
    r"expiry|expires?|expiration|ttl|age|regex|pattern|policy|prompt|error|message|msg|label|hint|"
    r"format|algorithm|alg|method|mode|param|parameter|placeholder|provider|version|prefix|suffix|"
    r"header|attribute|attr|column|class|style|icon|rule|rules|strength|reset|confirm(?:ation)?|"
    r"endpoint|scope|scheme|kind|index|position|start|end|state|status|description|desc|title|"
    r"template|hash|digest|sha\d*|md5|checksum|fingerprint|store|manager|service|reference|ref|"
    r"arn|engine|backend|usage|for|source|schema|set|list|map|group|encoder|hasher|input|id|ids)"
    r"(?![a-z])"
)
# Names of what looks drawn at random and is no secret.
_PUBLIC = re.findall(
    r"\S+",
    "public pubkey pub_key publish page_token pagetoken next_token nexttoken continuation"
    " sync_token synctoken cursor csrf_token csrftoken csrf-token xsrf-token csrfmiddleware"
    " pagination hash digest sha1 sha2 sha5 md5 checksum fingerprint etag max_token maxtoken"
    " num_token tokeniz tokenis sitekey site_key site-key keyboard idempot lock_token locktoken"
    " cache_key cachekey cache-key verification_key verify_key primarykey primary_key known_host",
)


def is_aspect(rest: str) -> bool:
    """Whether the rest of a name says it is about the secret: `_type`, `_url`, `Length`."""
    return _ASPECT.match(rest) is not None


def is_public(name: str) -> bool:
    """Whether a whole name is that of something meant to be seen."""
    lowered = name.lower()
    return "salt" not in lowered and any(each in lowered for each in _PUBLIC)
