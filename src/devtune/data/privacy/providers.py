"""Values beside the name of a provider whose keys have no mark of their own: hexadecimal, UUIDs.

Reads texts around the names in its table; writes nothing.
"""

import re
from collections.abc import Iterator

from devtune.data.privacy.assignments import NAME_CHARACTERS
from devtune.data.privacy.detection import Detection
from devtune.data.privacy.keywords import is_public
from devtune.data.privacy.rarity import is_harmless, is_uuid, looks_random
from devtune.data.privacy.spellings import other_spellings

# No forges and registries of code: what stands beside their names is mostly commits and digests,
# and their tokens have prefixes.
PROVIDERS = tuple(
    """
    abstractapi abuseipdb accuweather activecampaign adafruit adobe adyen affinity agora airbrake
    airship airtable aiven akamai akeyless alchemy algolia alibaba alienvault aliyun alpaca
    alpha_vantage alphavantage amplitude anthropic anypoint apiflash apify apilayer appcues
    appdynamics appfollow applovin appoptics appsflyer appsignal appspot appveyor appwrite arize
    artifactory asana assembly_ai assemblyai atera atlassian auth0 autodesk avalara avaza
    aviationstack axiom azure backblaze bamboohr bandwidth baremetrics basecamp baseten beamer
    beebole besttime betterstack binance bintray bitbar bitbucket bitfinex bitgo bitly bitmex
    bitquery bitrise bittrex blackfire blockcypher blockfrost bluejeans braintree braze brevo
    brightdata browserstack buddy_ bugcrowd bugsnag buildkite bundle_enterprise__contribsys__com
    bundle_gems__contribsys__com bungie bunny_ bunnycdn bybit calendly callrail campaignmonitor
    canva captcha cartesia censys cerebras chargebee chargify chatbot chatwoot checkly checkout_
    circleci clarifai clearbit clickhelp clickhouse clicksend clickup clockify close_ cloudconvert
    cloudflare cloudimage cloudinary cloudmersive cloudsmith cloudways cloverly codacy codeclimate
    codecov codefresh codemagic cohere coinapi coinbase coingecko coinlayer coinlib coinmarketcap
    companyhub confluence confluent contentful contentstack convertapi convertkit copper coralogix
    courier coveralls crisp_ crowdin crowdstrike cryptopp currencylayer currents customer_io
    customerio cypress dashscope databento databricks datadog datagov datocms dd-api dd-app dd_api
    dd_app debounce deepai deepgram deepinfra deepl deepseek delighted deputy detectlanguage dfuse
    diffbot digicert digitalocean directus discord disqus ditto_ dnsimple docker_hub docraptor
    docusign doppler dotmailer drift_ drone_ droneci dropbox duffel duo_ dwolla dynalist dynatrace
    easypost edamam elastic_email elasticemail eleven_labs elevenlabs enigma envoy_ epicgames
    etherscan etsy eventbrite eventful everhour exa_ exchangerate expo_ facebook fal fastforex
    fastly fauna fb_app fibery figma fileio filestack finage financialmodeling finicity finnhub
    firecrawl fireworks fixer_ fixerio flatio fleetbase flickr flightapi flightlabs flightstats
    float_ flutterwave fly_ fmfw formbucket foursquare frameio freemius freshbooks freshdesk
    freshsales freshservice front_ ftx_ fullstory fxmarket gcore geckoboard gemini gengo geoapify
    geocode_ geocodio getgeo getresponse ghost giphy gitguardian gitter gnews_ gocardless
    goodreads google_ grafana graphcms graphhopper greynoise groovehq groq gumroad gyazo
    happyscribe harvest_ hashicorp hellosign helpscout here_ heroku hetzner hive_ holiday_
    honeybadger honeycomb host_io hubspot hubstaff hunter_ hunterio hybrid_analysis iconfinder
    imagekit imgur impala influx infobip infura insightly instabot instamojo intercom intrinio
    invoiceocean ip2location ipapi ipdata ipgeolocation ipify ipinfo ipquality ipregistry ipstack
    iterable jfrog jina_ jira jotform jumpcloud kairos karma_ keenio keycdn kickbox klarna klaviyo
    kontent kraken kucoin lacework lambda_labs lambdalabs langchain langsmith last_fm lastfm
    launchdarkly leadfeeder leonardo_ letta_ line_channel linear linked-in linked_in linkedin
    linode litellm liveagent livekit livestorm lob locationiq logdna logentries loggly loginradius
    logz logzio lokalise looker loom_ loops_ luno_ macaddress madkudu magic_ magicbell
    mailboxlayer mailchimp mailerlite mailersend mailgun mailjet mailmodo mailsac mailtrap
    mandrill manifest_ mapbox mapquest marketo marketstack mattermost maxmind mediastack
    meilisearch meraki mesibo message_bird messagebird messari metaapi metabase metrilo microsoft_
    midtrans mistral mixmax mixpanel moderation mollie monday_ mongodb_atlas moonshot moosend
    moralis mparticle mux_ nasa_ neon netatmo netbox netlify neutrino new-relic new_relic newrelic
    newsapi newscatcher nexmo ngrok nicereply nimble_ nitro_ nomic noticeable notion novita
    numverify nutritionix nvidia ny_times nylas nytimes oanda okta omdb_ omnisend onedesk onelogin
    onepage onesignal oopspam open_weather openai openapi_ opencage openfigi openrouter openuv
    openweather opsgenie optimizely orbit_ outreach_ overloop owlbot owm_ packagecloud paddle_
    pagerduty pandadoc pandascore paperform papertrail pardot parsehub parseur partnerstack
    passbase pastebin paymo paypal paystack paytm payu_ pendo pepipost perplexity persona_ pexels
    phantombuster phraseapp pinata pinecone pingdom pipedream pipedrive pivotal pixabay places_
    plaid planetscale planio planyo plausible play_ht playht plivo poeditor poloniex polygon_
    polygonio portainer portkey postageapp postgrid posthog postman postmark prefect privacy_com
    private_ai privateai prodpad prospect_ proxycrawl pubnub pulumi purestake pushbullet pusher
    pushover qdrant qualaroo quandl quickbase quickbooks quickmetrics quip_ qwen rapidapi rapyd
    raven_ rawg_ razorpay rebrandly recaptcha recharge_ recurly reddit refiner reka_ render_
    repairshopr replicate replyio rescuetime resend restpack rev_ rev_ai revai revamp revolut
    ringcentral riot_ ritekit roaring roboflow rollbar route4me rownd rubyonrails runpod runrun
    runway runwayml s3_ saladcloud salesblink salesforce salesmate sambanova satismeter sauce_
    saucelabs scaleway scalr scraperapi scrapestack scrapingant scrapingbee screenshotapi
    screenshotlayer scw_ securitytrails segment_ selectpdf semaphore semrush sendbird
    sendbirdorganization sendgrid sendinblue sendpulse sentiment sentry serpapi serper serphouse
    serpstack sheety sherpadesk shipday shippo shipstation shodan shopify shortcut_ shorten
    shotstack shutterstock signable signalwire signaturit signupgenius sigopt simplesat
    simplynoted simvoly sinch sirv_ siteleaf skrapp skybiometry slack_ smartling smartsheet
    smartystreets smooch smtp2go snipcart snowflake snyk softlayer solcast sonar sourcegraph
    sparkpost speechtext splunk spoonacular sportradar sportsmonk spotify square square_
    squarespace squareup sslmate stability statuscake statuspage steam_ stitchdata stockdata
    storecove stormboard stormglass storyblok storychief strava streak_ stripe stripo stytch
    sugester sumo sumologic supabase surge_ surveyanyplace surveybot surveymonkey surveysparrow
    survicate swell_ swiftype tailscale tallyfy tatum tavily taxjar teamgate teamviewer teamwork
    technicalanalysis telegr telegram telesign telnyx terraform_ testingbot textmagic theoddsapi
    thinkific thousandeyes threatstack ticketmaster tickettailor tiingo timekit tineswebhook tly_
    tmdb todoist together together_ai togetherai tomorrow_ tomorrowio tomtom tradier transferwise
    travelpayouts travis trello triggerdev trufflehog turso twelvedata twelvelabs twilio twist_
    twitch twitter tyntec typeform typesense typetalk ubidots uclassify unifyid unleash unplugg
    unsplash upcdatabase uplead uploadcare upstash uptimerobot upwave urlscan userflow userstack
    uspto vapi_ vatlayer vbout vercel verifier verimail veriphone versioneye viewneo vimeo
    virustotal visualcrossing voiceflow voicegain vonage voodoosms vouchery vpnapi vultr walkscore
    wandb weatherapi weatherbit weatherstack weaviate webex webflow webscraper webscraping wepay
    whoxy wistia wit_ai witai workable workos workstack worldcoin worldweather wrike xata xero_
    xinge yandex yelp_ youneed yousign youtube zapier zendesk zenrows zenscrape zenserp zeplin
    zerobounce zerotier zhipu zilliz zipapi zipbooks zipcodeapi zoho_ zonkafeedback zoom_ zulip
    """.split()  # noqa: SIM905
)
# Names that end so may be those of any provider; `cache_key` and its like are public.
KEYS = ("_key", "-key")
_VALUE = re.compile(
    r"""(?x) (?P<rest>[\w.-]{0,40}+) [\\"'`\])]{0,6}+
    (?: [ ]?:[ ]?\n[ ]{1,20}+[\w.-]{1,30}+:[ ]
    | \s{0,9}+ (?P<sign>=>|:=|::|[:=(,>]|\|\||<-) \s{0,9}+ | \s{1,4}value\s?=\s? )
    (?:[\w-]{0,20}key\s?[=:]\s?)?+ (?P<open>[\\"'`\[({]{0,5}+)
    (?P<value>[A-Za-z0-9_+/=.:~-]{14,200}+)
    (?= [\\"'`\s;,)<\]}] | \Z ) """
)
_ABOUT = re.compile(
    r"(?i)sha|commit|hash|digest|rev|version|checksum|url|uri|path|file|dir|host|domain|image|"
    r"integrity|finger|etag|public|email|name|region|zone|bucket|branch|tag|model|package|module|"
    r"class|event|type|trace|request|message|user|sitekey|channel|order|cursor|page|thread|etherscan"
)
_MAX_SHORT = 6
_NUM_BEFORE = 40
_RUN = re.compile(r"[A-Za-z0-9]{12,200}+")


def beside_provider(text: str, start: int, end: int) -> Iterator[Detection]:
    """Yield the value given to a name with a provider in it, if it was drawn at random."""
    if not _begins_word(text, start):
        return
    following = text[end : end + 1]
    if end - start <= _MAX_SHORT and following.islower() and text[end - 1].islower():
        return  # it begins another word
    match = _VALUE.match(text, end)
    if match is None or _ABOUT.search(match["rest"]):
        return
    before = text[max(0, start - _NUM_BEFORE) : start]
    name_start = start - len(before) + len(before.rstrip(NAME_CHARACTERS))
    if is_public(text[name_start : match.end("rest")]):
        return
    is_quoted = any(each in match["open"] for each in "\"'`")
    if not is_quoted and match["sign"] not in ("=", ":", ">", None):
        return
    value = match["value"]
    if is_uuid(value) or _is_random(value):
        span = match.span("value")
        hidden = other_spellings(value)
        yield Detection(*span, "API_KEY", "provider", is_generic=True, hidden=hidden)


def _begins_word(text: str, start: int) -> bool:
    """Whether no letter before makes it the end of another word."""
    first, before = text[start], text[start - 1 : start]
    return not first.isalpha() or not before.isalpha() or (first.isupper() and before.islower())


def _is_random(value: str) -> bool:
    if not any(map(str.isdigit, value)) or value.replace("-", "").isdigit():
        return False
    if looks_random(value, 14):
        return True
    runs = _RUN.findall(value)
    return not is_harmless(value) and any(looks_random(each, 12) for each in runs)
