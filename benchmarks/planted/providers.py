"""Secrets with a format of their own, as their providers give them out.

Reads and writes nothing. Checksums are right where the format has one that is published.
"""

import random
from collections.abc import Callable

from planted import formats
from planted.kinds import Kind, Planted, draw, in_context

ANYWHERE = (
    'settings.py|TOKEN = "{}"',
    "deploy.sh|curl -sS -H 'Authorization: Bearer {}' https://api.harbor.internal/v1/items",
    "values.yaml|  token: {}",
    "notes.md|Staging works with `{}` until Friday.",
    'client.js|const client = new Client({ auth: "{}" });',
    "local.env|SERVICE_CREDENTIAL={}",
    "run.log|2024-05-17 08:12:44 DEBUG upstream refused {} (403), retrying in 5 s",
    'config.json|{"endpoint": "https://api.harbor.internal", "credential": "{}"}',
    'main.go|	req.Header.Set("X-Auth", "{}")',
    "job.py|    # rotate me: {}",
)
"""Where a secret may stand that is known by its looks: assignments, calls, headers, prose, logs.

Hosts are internal ones: scanners take what stands beside `example.org` for an example.
"""

SHAPES = {
    "github_fine_grained": "github_pat_<an:22>_<an:59>",
    "gitlab_personal": "glpat-<w:20>",
    "gitlab_trigger": "glptt-<hex:40>",
    "gitlab_runner": "glrt-<w:20>",
    "aws_access_key_id": "AKIA<b32:16>",
    "gcp_api_key": "AIzaSy<w:33>",
    "gcp_oauth_client_secret": "GOCSPX-<w:28>",
    "gcp_oauth_access": "ya29.a0A<w:160>",
    "azure_ad_client_secret": "<an:3>8Q~<an:20>_<an:13>",
    "azure_devops_pat": "<an:76>AZDO<an:4>",
    "slack_bot": "xoxb-<d:12>-<d:13>-<an:24>",
    "slack_user": "xoxp-<d:12>-<d:12>-<d:13>-<hex:32>",
    "slack_app": "xapp-1-A<up:10>-<d:13>-<hex:64>",
    "stripe_secret": "sk_live_<an:24>",
    "stripe_secret_long": "sk_live_51<an:97>",
    "stripe_restricted": "rk_live_<an:24>",
    "sendgrid": "SG.<w:22>.<w:43>",
    "huggingface": "hf_<al:34>",
    "openai_legacy": "sk-<an:20>T3Blbk" + "FJ<an:20>",
    "openai_project": "sk-proj-<w:74>T3Blbk" + "FJ<w:74>",
    "anthropic_api": "sk-ant-api03-<w:93>AA",
    "anthropic_admin": "sk-ant-admin01-<w:93>AA",
    "digitalocean": "dop_v1_<hex:64>",
    "databricks": "dapi<hex:32>",
    "doppler": "dp.pt.<an:43>",
    "shopify_access": "shpat_<hex:32>",
    "square_access": "EAAAE<w:59>",
    "mailgun_private": "key-<hex:32>",
    "mailchimp": "<hex:32>-us1<d:1>",
    "telegram_bot": "7<d:9>:AA<w:33>",
    "heroku": "HRKU-AA<w:58>",
    "linear": "lin_api_<an:40>",
    "notion": "ntn_<d:11><an:35>",
    "figma": "figd_<w:40>",
    "vault_service": "hvs.CAESI<w:90>",
    "terraform_cloud": "<an:14>.atlasv1.<w:67>",
    "sentry_user": "sntryu_<hex:64>",
    "new_relic_user": "NRAK-<up:27>",
    "planetscale": "pscale_tkn_<w:43>",
    "supabase_management": "sbp_<hex:40>",
    "rubygems": "rubygems_<hex:48>",
    "crates": "cio<an:32>",
    "docker_hub": "dckr_pat_<w:27>",
    "nuget": "oy2<low:43>",
    "postman": "PMAK-<hex:24>-<hex:34>",
    "cloudflare_origin": "v1.0-<hex:24>-<hex:146>",
    "groq": "gsk_<an:52>",
    "replicate": "r8_<an:37>",
    "xai": "xai-<an:80>",
    "airtable": "pat<an:14>.<hex:64>",
    "hubspot": "pat-na1-<uuid>",
    "sonarqube": "sqp_<hex:40>",
    "nvidia": "nvapi-<w:64>",
    "dynatrace": "dt0c01.<b32:24>.<b32:64>",
    "tailscale": "tskey-auth-k<an:11>CNTRL-<an:32>",
    "pulumi": "pul-<hex:40>",
    "netlify": "nfp_<an:36>",
    "twilio_api_key": "SK<hex:32>",
}
WEBHOOKS = (
    'notify.py|    requests.post("{}", json={"text": "done"})',
    "ci.yml|      WEBHOOK: {}",
    "notify.sh|curl -X POST -d @body.json {}",
    "notes.md|Alarms go to {} for now.",
)
NAMED = {
    "slack_webhook": ("https://hooks.slack.com/services/T<up:10>/B<up:10>/<an:24>", *WEBHOOKS),
    "discord_webhook": ("https://discord.com/api/webhooks/1<d:18>/<w:68>", *WEBHOOKS),
    "aws_secret_access_key": (
        "<b64:40>",
        'session.py|boto3.Session("AKIA<b32:16>", aws_secret_access_key="{}")',
        "deploy.sh|export AWS_SECRET_ACCESS_KEY={}",
        "credentials|[default]\naws_access_key_id = AKIA<b32:16>\naws_secret_access_key = {}",
    ),
    "aws_session_token": (
        "IQoJb3JpZ2luX2VjE<b64:400>",
        "deploy.sh|export AWS_SESSION_TOKEN={}",
        'app.py|credentials = {"aws_session_token": "{}"}',
    ),
    "azure_storage_key": (
        "<b64:76>+ASt<b64:5>A==",
        'app.py|BLOB = "DefaultEndpointsProtocol=https;AccountName=<low:12>;AccountKey={};'
        'EndpointSuffix=core.windows.net"',
        "deploy.sh|az storage blob list --account-name <low:10> --account-key {}",
    ),
    "azure_service_bus": (
        "<b64:43>=",
        'Bus.cs|var bus = "Endpoint=sb://<low:9>.servicebus.windows.net/;'
        'SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey={}";',
    ),
    "azure_sas": (
        "<an:20>%2B<an:19>%3D",
        "load.py|URL = 'https://<low:9>.blob.core.windows.net/raw?sv=2022-11-02&sp=r&sig={}'",
    ),
    "twilio_auth_token": (
        "<hex:32>",
        'sms.py|client = twilio.rest.Client("AC<hex:32>", "{}")',
        "local.env|TWILIO_AUTH_TOKEN={}",
    ),
    "datadog_api": ("<hex:32>", "local.env|DD_API_KEY={}", 'app.py|datadog_api_key = "{}"'),
    "okta": (
        "00<w:40>",
        'idp.py|headers = {"Authorization": "SSWS {}"}',
        "local.env|OKTA_TOKEN={}",
    ),
    "discord_bot": (
        "MT<an:24>.G<w:5>.<w:38>",
        'bot.py|client.run("{}")',
        "local.env|DISCORD_TOKEN={}",
    ),
    "cloudflare_api": (
        "<w:40>",
        "dns.sh|curl -H 'X-Auth-Email: ops@harbor.internal' -H 'Authorization: Bearer {}' "
        "https://api.cloudflare.com/client/v4/zones",
        "local.env|CLOUDFLARE_API_TOKEN={}",
    ),
    "wireguard": ("<b64:42>E=", "wg0.conf|[Interface]\nPrivateKey = {}\nListenPort = 51820"),
}
COMPUTED: dict[str, Callable[[random.Random], str]] = {
    "github_classic": lambda rng: formats.checked(rng, "ghp_"),
    "github_oauth": lambda rng: formats.checked(rng, "gho_"),
    "github_app": lambda rng: formats.checked(rng, "ghs_"),
    "npm": lambda rng: formats.checked(rng, "npm_"),
    "gitlab_routable": formats.routable,
    "grafana": formats.grafana,
    "atlassian": formats.atlassian,
    "pypi": formats.macaroon,
    "jwt": formats.jwt,
    "age": formats.age_key,
}
ARMOURED: dict[str, Callable[[random.Random], tuple[str, tuple[str, ...]]]] = {
    "pem_rsa": lambda rng: formats.armour("RSA PRIVATE " + "KEY", formats.rsa_der(rng)),
    "pem_pkcs8": lambda rng: formats.armour("PRIVATE " + "KEY", formats.pkcs8_der(rng)),
    "pem_ec": lambda rng: formats.armour("EC PRIVATE " + "KEY", formats.ec_der(rng)),
    "pem_openssh": lambda rng: formats.armour("OPENSSH PRIVATE " + "KEY", formats.openssh(rng), 70),
    "pem_encrypted": lambda rng: formats.armour(
        "ENCRYPTED PRIVATE " + "KEY", formats.der(0x30, rng.randbytes(1290))
    ),
    "pgp_private": lambda rng: _pgp(rng),
}


def kinds() -> list[Kind]:
    """Return every kind of secret known by its format."""
    tables: tuple[tuple[str, Callable[[random.Random, int], Planted]], ...] = (
        *((name, _shaped(shape, ANYWHERE)) for name, shape in SHAPES.items()),
        *((name, _shaped(shape, contexts)) for name, (shape, *contexts) in NAMED.items()),
        *((name, _computed(make)) for name, make in COMPUTED.items()),
        *((name, _armoured(make)) for name, make in ARMOURED.items()),
        ("gcp_service_account", _service_account),
        ("putty", _putty),
    )
    return [Kind(name, "provider", make) for name, make in tables]


def _shaped(
    shape: str, contexts: tuple[str, ...] | list[str]
) -> Callable[[random.Random, int], Planted]:
    return lambda rng, nth: in_context(draw(rng, shape), contexts, nth, rng)


def _computed(make: Callable[[random.Random], str]) -> Callable[[random.Random, int], Planted]:
    return lambda rng, nth: in_context(make(rng), ANYWHERE, nth, rng)


def _armoured(
    make: Callable[[random.Random], tuple[str, tuple[str, ...]]],
) -> Callable[[random.Random, int], Planted]:
    def planted(rng: random.Random, nth: int) -> Planted:
        text, lines = make(rng)
        quotes = "'" * 3
        contexts = (
            ("server.key", text),
            ("settings.py", f"KEY = {quotes}{text}\n{quotes}"),
            ("values.yaml", "tls:\n  key: |\n" + "\n".join("    " + e for e in text.split("\n"))),
            ("config.json", '{"key": "' + text.replace("\n", "\\n") + '\\n"}'),
        )
        name, filled = contexts[nth % len(contexts)]
        return Planted(filled, lines, name, is_whole_file=name == "server.key")

    return planted


def _pgp(rng: random.Random) -> tuple[str, tuple[str, ...]]:
    data = b"\x95\x03\x98\x04" + rng.randbytes(900)
    return formats.armour("PGP PRIVATE " + "KEY BLOCK", data, 64, formats.crc24(data))


def _service_account(rng: random.Random, nth: int) -> Planted:
    text, lines = ARMOURED["pem_pkcs8"](rng)
    account = draw(rng, "build@<low:12>.iam.gserviceaccount.com")
    filled = (
        f'{{\n  "type": "service_account",\n  "private_key_id": "{draw(rng, "<hex:40>")}",\n'
        f'  "private_key": "{text.replace(chr(10), chr(92) + "n")}\\n",\n'
        f'  "client_email": "{account}"\n}}'
    )
    return Planted(filled, lines, "account.json", is_whole_file=True)


def _putty(rng: random.Random, nth: int) -> Planted:
    body = formats.plain_base64(rng.randbytes(640))
    lines = tuple(body[start : start + 64] for start in range(0, len(body), 64))
    head = "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\nComment: build\nPublic-Lines: 1\n"
    head += f"AAAAB3NzaC1yc2EAAAADAQAB{formats.plain_base64(rng.randbytes(30))}\n"
    private = f"Private-Lines: {len(lines)}\n" + "\n".join(lines)
    mac = draw(rng, "\nPrivate-MAC: <hex:64>")
    return Planted(head + private + mac, lines, "build.ppk", is_whole_file=True)
