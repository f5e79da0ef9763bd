"""Formats of providers' credentials, each with a hint that must be there before it is tried.

Reads nothing, writes nothing; the table is data: kind, hints in lower case, how many
characters before its hint the format begins, regular expression.
"""

import re
from dataclasses import dataclass
from functools import cache

_TABLE = r"""
AWS_ACCESS_KEY_ID akia 0 AKIA[A-Z0-9]{16}
AWS_ACCESS_KEY_ID asia 0 ASIA[A-Z0-9]{16}
AWS_ACCESS_KEY_ID abia 0 ABIA[A-Z0-9]{16}
AWS_ACCESS_KEY_ID acca 0 ACCA[A-Z0-9]{16}
AWS_SESSION_TOKEN iqojb3jpz2lu 0 IQoJb3JpZ2lu[A-Za-z0-9+/%]{40,2000}={0,2}
AWS_SESSION_TOKEN gzxivyxdz 3 F[wQ]oGZXIvYXdz[A-Za-z0-9+/%]{40,2000}={0,2}
AWS_BEDROCK_KEY absk 0 ABSK[A-Za-z0-9+/]{100,200}={0,2}
AWS_BEDROCK_KEY bedrock-api-key- 0 bedrock-api-key-[A-Za-z0-9+/=_-]{30,2000}
AMAZON_MWS_TOKEN amzn.mws. 0 amzn\.mws\.[0-9a-f]{8}-[0-9a-f-]{27}
GCP_API_KEY aiza 0 AIza[\w-]{35}
GCP_OAUTH_TOKEN ya29. 0 ya29\.[\w.-]{20,2000}
GCP_CLIENT_SECRET gocspx- 0 GOCSPX-[\w-]{20,40}
GCP_REFRESH_TOKEN 1// 0 1//0[\w-]{40,200}
FIREBASE_SERVER_KEY :apa91b 16 AAAA[\w-]{7}:APA91b[\w-]{100,180}
AZURE_CLIENT_SECRET q~ 4 [\w.~-]{3}\dQ~[\w.~-]{31,34}
AZURE_STORAGE_KEY +ast 76 [A-Za-z0-9+/]{76}\+ASt[A-Za-z0-9+/]{5,7}={0,2}
AZURE_KEY azfu 44 [\w-]{44}AzFu[\w-]{5,8}={0,2}
AZURE_KEY azse 46 [A-Za-z0-9]{42}AzSe[A-Za-z0-9]{6,8}
AZURE_KEY azca 44 [A-Za-z0-9]{33}AzCa[A-Za-z0-9]{5,8}={0,2}
AZURE_KEY acdb 76 [A-Za-z0-9+/]{76}ACDb[A-Za-z0-9+/]{5,8}={0,2}
AZURE_KEY +asb 33 [A-Za-z0-9+/]{33}\+ASb[A-Za-z0-9+/]{5,7}={0,2}
AZURE_KEY +aeh 33 [A-Za-z0-9+/]{33}\+AEh[A-Za-z0-9+/]{5,7}={0,2}
AZURE_KEY +arm 33 [A-Za-z0-9+/]{33}\+ARm[A-Za-z0-9+/]{5,7}={0,2}
AZURE_KEY +acr 42 [A-Za-z0-9+/]{42}\+ACR[A-Za-z0-9+/]{6}
AZURE_OPENAI_KEY jqqj99 52 [A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}
AZURE_DEVOPS_PAT azdo 76 [A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}
AZURE_SAS sig= 0 sig=([A-Za-z0-9%+/=_-]{40,130})
AZURE_APP_CONFIG endpoint=https 0 Endpoint=https://[\w.-]+;Id=[^;\s]{1,80};Secret=([\w+/=-]{20,100})
SLACK_TOKEN xox[abceoprsd]- 0 xox[abceoprsd]-[A-Za-z0-9%/+=-]{10,400}
SLACK_TOKEN xoxe. 0 xoxe\.xox[bp]-\d-[A-Za-z0-9]{100,400}
SLACK_APP_TOKEN xapp- 0 xapp-\d-[A-Za-z0-9-]{20,200}
SLACK_WEBHOOK hooks.slack ~8 https?://hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[\w/+-]{20,100}
DISCORD_WEBHOOK /api/webhooks/ ~35 https?://(?:[a-z]{1,7}\.)?discord(?:app)?\.com/api/webhooks/\d{15,22}/[\w-]{40,100}
TEAMS_WEBHOOK webhook.office ~60 https://[\w-]{1,40}\.webhook\.office\.com/webhookb2/[\w@/-]{60,250}
TEAMS_WEBHOOK outlook.office ~8 https://outlook\.office(?:365)?\.com/webhook/[\w@/-]{60,250}
GOOGLE_CHAT_WEBHOOK chat.googleapis ~8 https://chat\.googleapis\.com/v1/spaces/[\w-]{5,40}/messages\?key=[\w&=%-]{40,200}
ZAPIER_WEBHOOK hooks.zapier ~8 https://hooks\.zapier\.com/hooks/catch/[\w/]{10,60}
IFTTT_WEBHOOK maker.ifttt ~8 https://maker\.ifttt\.com/trigger/[\w-]{1,60}/(?:json/)?with/key/[\w-]{20,60}
LOGIC_APP_WEBHOOK .logic.azure.com ~60 https://[\w.-]{1,60}\.logic\.azure\.com(?::443)?/workflows/[\w/?&=%.-]{60,400}
TELEGRAM_BOT_TOKEN :aa ~12 \d{8,11}:AA[\w-]{32,34}
DISCORD_BOT_TOKEN run( 0 (?i:run)\(\s*[\"'`]([MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,40})
DISCORD_BOT_TOKEN login( 0 (?i:login)\(\s*[\"'`]([MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,40})
DISCORD_BOT_TOKEN discord 0 (?i:discord)[^\n]{0,60}?[\s:=\"'`]([MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,40})
STRIPE_KEY k_live_ 1 [sr]k_live_[A-Za-z0-9]{10,247}
STRIPE_KEY k_test_ 1 [sr]k_test_[A-Za-z0-9]{10,247}
STRIPE_KEY k_prod_ 1 [sr]k_prod_[A-Za-z0-9]{10,247}
WEBHOOK_SECRET whsec_ 0 whsec_[A-Za-z0-9+/]{24,80}={0,2}
SENDGRID_KEY sg. 0 SG\.[\w-]{16,32}\.[\w-]{16,64}
TWILIO_API_KEY sk[0-9a-f][0-9a-f] 0 SK[0-9a-f]{32}
MAILGUN_KEY key- 0 key-[0-9a-f]{32}
MAILGUN_KEY pubkey- 0 pubkey-[0-9a-f]{32}
MAILCHIMP_KEY -us 32 [0-9a-f]{32}-us\d{1,2}
MANDRILL_KEY md- 0 md-[\w-]{22}
BREVO_KEY xkeysib- 0 xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}
BREVO_KEY xsmtpsib- 0 xsmtpsib-[0-9a-f]{64}-[A-Za-z0-9]{16}
RESEND_KEY re_ 0 re_[A-Za-z0-9]{8,12}_[A-Za-z0-9]{20,30}
MAILERSEND_KEY mlsn. 0 mlsn\.[0-9a-f]{64}
GITHUB_TOKEN gh[pousr]_ 0 gh[pousr]_[A-Za-z0-9]{36,255}
GITHUB_PAT github_pat_ 0 github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}
GITLAB_TOKEN glpat- 0 glpat-[\w.-]{20,300}
GITLAB_TOKEN gldt-,glrt-,glrtr-,glcbt-,glptt-,glft-,glimt-,glagent-,gloas-,glsoat-,glffct-,glwt- 0 gl(?:dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-[\w.-]{20,300}
GITLAB_TOKEN gr1348941 0 GR1348941[\w-]{20,50}
GITLAB_SESSION _gitlab_session 0 _gitlab_session=([0-9a-z]{32})
BITBUCKET_TOKEN atbb 0 ATBB[A-Za-z0-9]{24,60}
ATLASSIAN_TOKEN atatt3 0 ATATT3[\w=-]{40,250}
ATLASSIAN_TOKEN atctt3 0 ATCTT3[\w=-]{40,250}
ATLASSIAN_TOKEN atstt3 0 ATSTT3[\w=-]{40,250}
TRELLO_TOKEN atta[0-9a-f][0-9a-f] 0 ATTA[0-9a-f]{64,80}
NPM_TOKEN npm_ 0 npm_[A-Za-z0-9]{36}
PYPI_TOKEN pypi-ag 0 pypi-Ag[\w-]{50,1000}
RUBYGEMS_KEY rubygems_ 0 rubygems_[0-9a-f]{48}
CLOJARS_TOKEN clojars_ 0 CLOJARS_[0-9a-z]{60}
NUGET_KEY oy2 0 oy2[a-z0-9]{43}
DOCKER_TOKEN dckr_ 0 dckr_(?:pat|oat)_[\w-]{27,60}
PACKAGIST_TOKEN packagist_ 0 packagist_[ou][ruat][a-z]_[0-9a-f]{68}
JFROG_TOKEN akc 0 AKC[a-zA-Z0-9]{60,80}
JFROG_TOKEN cmvmdgtuo 0 cmVmdGtuO[A-Za-z0-9]{50,60}
HUGGING_FACE_TOKEN hf_ 0 hf_[A-Za-z0-9]{30,40}
HUGGING_FACE_TOKEN api_org_ 0 api_org_[A-Za-z0-9]{34}
OPENAI_KEY sk- 0 sk-(?:proj|svcacct|admin|None|service)-[\w-]{20,300}
OPENAI_KEY t3blbkfj ~200 sk-[\w-]{16,180}T3BlbkFJ[\w-]{16,180}
API_KEY sk- 0 sk-(?:[a-z0-9]{1,12}-){0,3}(?=[a-zA-Z-]{0,30}\d)[A-Za-z0-9_]{20,200}
ANTHROPIC_KEY sk-ant- 0 sk-ant-[a-z]{2,6}\d\d-[\w-]{60,200}
LANGFUSE_KEY sk-lf- 0 sk-lf-[0-9a-f]{8}-[0-9a-f-]{27}
GROQ_KEY gsk_ 0 gsk_[A-Za-z0-9]{48,60}
XAI_KEY xai- 0 xai-[A-Za-z0-9_]{60,100}
REPLICATE_TOKEN r8_ 0 r8_[A-Za-z0-9]{36,40}
PERPLEXITY_KEY pplx- 0 pplx-[A-Za-z0-9]{40,60}
FIREWORKS_KEY fw_ 0 fw_[A-Za-z0-9]{22,30}
TOGETHER_KEY tgp_v1_ 0 tgp_v1_[\w-]{40,60}
ELEVENLABS_KEY sk_ 0 sk_[0-9a-f]{48}
PINECONE_KEY pcsk_ 0 pcsk_[A-Za-z0-9_]{50,90}
LANGSMITH_KEY lsv2_ 0 lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}
TAVILY_KEY tvly- 0 tvly-(?:dev-|prod-)?[A-Za-z0-9-]{20,60}
FIRECRAWL_KEY fc- 0 fc-[0-9a-f]{32}
JINA_KEY jina_ 0 jina_[\w-]{50,80}
CEREBRAS_KEY csk- 0 csk-[a-z0-9]{40,60}
NVIDIA_KEY nvapi- 0 nvapi-[\w-]{50,80}
VOYAGE_KEY pa- 0 pa-[\w-]{43}
RUNPOD_KEY rpa_ 0 rpa_[A-Z0-9]{30,60}
E2B_KEY e2b_ 0 e2b_[0-9a-f]{40}
BROWSERBASE_KEY bb_live_ 0 bb_live_[\w-]{20,40}
LLAMA_CLOUD_KEY llx- 0 llx-[A-Za-z0-9]{40,60}
WANDB_KEY wandb_v1_ 0 wandb_v1_[\w-]{40,100}
CLARIFAI_KEY clf_ 0 clf_[A-Za-z0-9]{30,60}
HELICONE_KEY helicone- ~3 (?:sk|pk)-helicone-[a-z0-9-]{20,60}
SUPABASE_KEY sbp_ 0 sbp_(?:v0_)?[0-9a-f]{40}
SUPABASE_KEY sb_secret_ 0 sb_secret_[\w-]{20,60}
NEON_KEY napi_ 0 napi_[a-z0-9]{40,70}
PLANETSCALE_TOKEN pscale_ 0 pscale_(?:tkn|pw|oauth|app_secret|secret)_[\w.=-]{30,64}
XATA_KEY xau_ 0 xau_[A-Za-z0-9]{30,60}
FAUNA_KEY fna 0 fnA[A-Za-z0-9_-]{35,45}
MONGODB_SECRET mdb_sa_ 0 mdb_sa_sk_[\w-]{30,60}
AIVEN_PASSWORD avns_ 0 AVNS_[\w-]{15,40}
COCKROACH_KEY ccdb1_ 0 CCDB1_[A-Za-z0-9]{22}_[A-Za-z0-9]{40}
DATABRICKS_TOKEN dapi 0 dapi[0-9a-f]{32}(?:-\d)?
DATABRICKS_TOKEN dose 0 dose[0-9a-f]{32}
DBT_TOKEN dbt[cu]_ 0 dbt[cu]_[\w+/=-]{30,70}
PREFECT_KEY pn[ub]_ 0 pn[ub]_[A-Za-z0-9]{36}
SEGMENT_TOKEN sgp_ 0 sgp_[A-Za-z0-9]{60,70}
SOURCEGRAPH_TOKEN sgp_ 0 sgp_(?:[0-9a-f]{16}_|local_)?[0-9a-f]{40}
SOURCEGRAPH_TOKEN slw_,slk_ 0 sl[wk]_[0-9a-f]{64}
POSTHOG_KEY ph[xs]_ 0 ph[xs]_[A-Za-z0-9]{40,60}
LAUNCHDARKLY_KEY sdk- 0 sdk-[0-9a-f]{8}-[0-9a-f-]{27}
LAUNCHDARKLY_KEY api- 0 api-[0-9a-f]{8}-[0-9a-f-]{27}
LAUNCHDARKLY_KEY mob- 0 mob-[0-9a-f]{8}-[0-9a-f-]{27}
NEW_RELIC_KEY nrak-,nrii-,nriq-,nrjs-,nrra-,nrsp-,nraa-,nrbr-,nrma- 0 NR(?:AK|II|IQ|JS|RA|SP|AA|BR|MA)-[\w-]{18,48}
NEW_RELIC_KEY nral 36 [0-9a-z]{6}[0-9a-f]{30}NRAL
SENTRY_TOKEN sntry[su]_ 0 sntry[su]_[\w+/=-]{40,300}
HONEYCOMB_KEY hca[iml]k_ 0 hca[iml]k_[a-z0-9]{58}
HONEYCOMB_KEY hcx[iml]k_ 0 hcx[iml]k_[a-z0-9]{58}
GRAFANA_TOKEN glsa_ 0 glsa_[A-Za-z0-9]{32}_[0-9A-Fa-f]{8}
GRAFANA_TOKEN glc_ 0 glc_[A-Za-z0-9+/]{32,400}={0,2}
GRAFANA_TOKEN eyjr 0 eyJrIjoi[A-Za-z0-9+/]{60,400}={0,2}
DYNATRACE_TOKEN dt0[a-z] 0 dt0[a-z]\d\d\.[A-Z0-9]{8,24}\.[A-Z0-9]{64}
PAGERDUTY_KEY pdus+ 0 pdus\+_[A-Z0-9]{4}_[\w-]{36}
CLOUDFLARE_KEY v1.0- 0 v1\.0-[0-9a-f]{24}-[0-9a-f]{146}
CLOUDFLARE_TOKEN cfut_,cfat_,cfk_ 0 cf(?:ut|at|k)_[A-Za-z0-9]{40,60}
AKAMAI_TOKEN akab- 0 akab-[a-z0-9]{16}-[a-z0-9]{16}
DIGITALOCEAN_TOKEN do[opr]_v1_ 0 do[opr]_v1_[0-9a-f]{64}
HEROKU_KEY hrku- 0 HRKU-[\w-]{36,66}
FLY_TOKEN fm1_,fm2_,fm1r_,fm1a_,fm2r_,fm2a_ 0 fm[12][ra]?_[A-Za-z0-9+/_-]{60,2000}={0,3}
FLY_TOKEN fo1_ 0 fo1_[\w-]{43}
RENDER_KEY rnd_ 0 rnd_[A-Za-z0-9]{28,40}
NETLIFY_TOKEN nf[pcou]_ 0 nf[pcou]_[A-Za-z0-9]{36}
VERCEL_TOKEN vc[pkaicr]_ 0 vc[pkaicr]_[A-Za-z0-9]{24,70}
VERCEL_TOKEN vercel_blob 0 vercel_blob_rw_[A-Za-z0-9]{10,30}_[A-Za-z0-9]{20,40}
CLOUDINARY_URL cloudinary:// 0 cloudinary://\d{10,18}:([\w-]{20,40})@
ALIBABA_KEY_ID ltai 0 LTAI[A-Za-z0-9]{12,24}
TENCENT_KEY_ID akid 0 AKID[A-Za-z0-9]{28,36}
YANDEX_KEY aqvn 0 AQVN[\w-]{35,40}
YANDEX_TOKEN y0_ 0 y0_[\w-]{50,70}
YANDEX_TOKEN t1. 0 t1\.[A-Z0-9a-z_-]{50,300}={0,2}\.[\w-]{80,90}={0,2}
IBM_KEY apikey-v2- 0 ApiKey-v2-[\w-]{40,80}
SCALINGO_TOKEN tk-us- 0 tk-us-[\w-]{48}
TERRAFORM_TOKEN .atlasv1. 14 [A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,70}
VAULT_TOKEN hv[sbr]. 0 hv[sbr]\.[\w-]{20,300}
VAULT_TOKEN b.aaa 0 b\.AAAAAQ[\w-]{90,200}
PULUMI_TOKEN pul- 0 pul-[0-9a-f]{40}
DOPPLER_TOKEN dp.pt.,dp.st.,dp.ct.,dp.sa.,dp.scim.,dp.audit. 0 dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[\w-]{2,35}\.)?[A-Za-z0-9]{40,44}
ONEPASSWORD_TOKEN ops_eyj 0 ops_eyJ[A-Za-z0-9+/_-]{200,2000}={0,2}
ONEPASSWORD_KEY a3- 0 A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}
AGE_SECRET_KEY age-secret-key- 0 AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}
AGE_SECRET_KEY age-plugin- 0 AGE-PLUGIN-[A-Z0-9]{2,20}-1[A-Z0-9]{20,400}
POSTMAN_KEY pma[kt]- 0 PMA[KT]-[0-9a-zA-Z]{24}-[0-9a-zA-Z]{34}
LINEAR_KEY lin_api_,lin_oauth_,lin_wh_ 0 lin_(?:api|oauth|wh)_[A-Za-z0-9]{32,64}
NOTION_TOKEN ntn_ 0 ntn_[A-Za-z0-9]{40,60}
NOTION_TOKEN secret_ 0 secret_[A-Za-z0-9]{43}
CLICKUP_TOKEN pk_ 0 pk_\d{5,10}_[A-Z0-9]{32}
TYPEFORM_TOKEN tfp_ 0 tfp_[\w.=-]{40,70}
FIGMA_TOKEN fig[doru]_,figoh_ 0 fig[doru]h?_[\w-]{40,60}
DROPBOX_TOKEN sl. 0 sl\.(?:u\.)?[\w=-]{120,2000}
CONTENTFUL_TOKEN cfpat- 0 CFPAT-[\w-]{40,60}
SHOPIFY_TOKEN shpat_,shpca_,shppa_,shpss_,shpua_,shptka_,shprt_ 0 shp(?:at|ca|pa|ss|ua|tka|rt)_[0-9a-fA-F]{32}
WOOCOMMERCE_KEY cs_[0-9a-f] 0 cs_[0-9a-f]{40}
WOOCOMMERCE_KEY ck_[0-9a-f] 0 ck_[0-9a-f]{40}
SQUARE_TOKEN eaaa 0 EAAA[\w-]{60}
SQUARE_TOKEN sq0[a-z] 0 sq0[a-z]{3}-[\w-]{22,43}
PAYPAL_TOKEN a21aa 0 A21AA[\w-]{80,100}
BRAINTREE_TOKEN access_token$ 0 access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}
ADYEN_KEY aqe 0 AQE[A-Za-z0-9+/]{20,200}={0,2}-[A-Za-z0-9+/]{20,120}={0,2}-[\x21-\x7e]{8,40}
PLAID_TOKEN access-sandbox-,access-development-,access-production- 0 access-(?:sandbox|development|production)-[0-9a-f]{8}-[0-9a-f-]{27}
RAZORPAY_KEY rzp_ 0 rzp_(?:live|test)_[A-Za-z0-9]{14,24}
FLUTTERWAVE_KEY flwsec 0 FLWSECK(?:_TEST)?-[0-9a-zA-Z]{12,40}(?:-X)?
LOB_KEY _pub_ ~8 (?:live|test)_pub_[0-9a-f]{31,35}
EASYPOST_KEY ez[at]k 0 EZ[AT]K[A-Za-z0-9]{54}
SHIPPO_TOKEN shippo_ 0 shippo_(?:live|test)_[0-9a-fA-F]{40}
DUFFEL_TOKEN duffel_ 0 duffel_(?:live|test)_[\w=-]{43}
PADDLE_KEY pdl_ 0 pdl_(?:live_|sdbx_)?apikey_[a-z0-9]{26}_[A-Za-z0-9]{22}_[A-Za-z0-9]{3}
ADAFRUIT_KEY aio_ 0 aio_[A-Za-z0-9]{28}
FACEBOOK_TOKEN eaa 0 EAA[A-Za-z0-9]{80,300}
TWITTER_TOKEN aaaaaaaaaaaaaaaaaaaaa 0 A{20,22}[A-Za-z0-9%]{50,120}
SALESFORCE_TOKEN 00d 0 00D[A-Za-z0-9]{12,15}![\w.]{80,120}
MAPBOX_TOKEN sk.eyj 0 sk\.eyJ[\w-]{40,200}\.[\w-]{20,40}
APIFY_TOKEN apify_api_ 0 apify_api_[A-Za-z0-9-]{36,46}
SONAR_TOKEN sq[upa]_ 0 sq[upa]_[0-9a-f]{40}
CIRCLECI_TOKEN ccipat_,cciprj_ 0 CCI(?:PAT|PRJ)_[A-Za-z0-9]{22}_[0-9a-f]{40}
BUILDKITE_TOKEN bk[a-z][a-z]_ 0 bk[a-z]{2}_[A-Za-z0-9]{36,70}
OCTOPUS_KEY api- 0 API-[A-Z0-9]{25,36}
README_KEY rdme_ 0 rdme_[a-z0-9]{70}
FRAMEIO_TOKEN fio-u- 0 fio-u-[\w=-]{64}
TAILSCALE_KEY tskey- 0 tskey-(?:[a-z]+-)?[A-Za-z0-9]{10,30}-?[A-Za-z0-9]{0,50}
DEFINED_KEY dnkey- 0 dnkey-[a-z0-9=_-]{26}-[a-z0-9=_-]{52}
INFRACOST_KEY ico- 0 ico-[A-Za-z0-9]{32}
OPENSHIFT_TOKEN sha256~ 0 sha256~[\w-]{43}
RANCHER_TOKEN token- 0 token-[a-z0-9]{5}:[a-z0-9]{54}
OKTA_TOKEN ssws 0 (?i:ssws)\s+([\w-]{30,60})
RAPIDAPI_KEY jsn 36 [0-9a-z]{10}msh[0-9a-z]{15}p1[0-9a-z]{6}jsn[0-9a-z]{12}
ONESIGNAL_KEY os_v2_ 0 os_v2_(?:app|org)_[a-z0-9]{100,110}
KLAVIYO_KEY pk_ 0 pk_[0-9a-f]{34}
HUBSPOT_TOKEN pat-na,pat-eu,pat-ap 0 pat-(?:na|eu|ap)\d-[0-9a-f]{8}-[0-9a-f-]{27}
INTERCOM_TOKEN dg9r 0 dG9r[A-Za-z0-9+/]{52,60}={0,2}
ALGOLIA_KEY algolia 0 (?i:algolia)[\w.\"'\]\s:=,(-]{1,40}[\"'`=\s]([0-9a-f]{32})
OPSGENIE_KEY geniekey 0 (?i:geniekey)\s+([0-9a-f]{8}-[0-9a-f-]{27})
CONFLUENT_SECRET cflt 0 cflt[A-Za-z0-9+/]{50,70}
DENO_TOKEN dd[pow]_ 0 dd[pow]_[A-Za-z0-9]{36}
PERSONA_KEY persona_ 0 persona_(?:production|sandbox)_[0-9a-f-]{36}
SETTLEMINT_TOKEN sm_aat_,sm_pat_,sm_sat_ 0 sm_(?:aat|pat|sat)_[A-Za-z0-9]{16}
JWT eyj 0 ey[JK][A-Za-z0-9_-]{15,1000}+\.ey[JK][A-Za-z0-9_-]{10,4000}+\.[A-Za-z0-9_-]{20,1000}
JWE eyj 0 eyJ[A-Za-z0-9_-]{15,1000}+\.[A-Za-z0-9_-]{0,1000}+\.[A-Za-z0-9_-]{16,24}+\.[A-Za-z0-9_-]{20,4000}+\.[A-Za-z0-9_-]{22}
PASSWORD_HASH $apr1$ 0 \$apr1\$[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{22}
PASSWORD_HASH $2[abxy]$ 0 \$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}
PASSWORD_HASH $1$ 0 \$1\$[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{22}
PASSWORD_HASH $5$ 0 \$5\$(?:rounds=\d{1,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43}
PASSWORD_HASH $6$ 0 \$6\$(?:rounds=\d{1,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}
PASSWORD_HASH $y$ 0 \$y\$[./A-Za-z0-9]{1,40}\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}
PASSWORD_HASH $argon2 0 \$argon2(?:id|i|d)\$v=\d+\$[mtp=,\d]{5,40}\$[A-Za-z0-9+/]{11,90}\$[A-Za-z0-9+/]{20,100}
PASSWORD_HASH pbkdf2_sha 0 pbkdf2_sha\d{1,3}\$\d{1,9}\$[A-Za-z0-9+/=]{4,64}\$[A-Za-z0-9+/]{26,90}={0,2}
PASSWORD_HASH scram-sha-256$ 0 SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=]{20,40}\$[A-Za-z0-9+/=]{40,50}:[A-Za-z0-9+/=]{40,50}
PASSWORD_HASH {sha} 0 \{SHA\}[A-Za-z0-9+/]{27}=
PASSWORD_HASH {ssha} 0 \{SSHA\}[A-Za-z0-9+/]{32,60}={0,2}
PASSWORD_HASH $p$ 0 \$P\$[./A-Za-z0-9]{31}
TWILIO_AUTH_TOKEN ("ac,('ac 0 \(["']AC[0-9a-f]{32}["'],\s*["']([0-9a-f]{32})
TWILIO_AUTH_TOKEN twilio 0 (?i:twilio)[^\n]{0,90}?["'`\s:=]([0-9a-f]{32})
PAYMENT_KEY live_ 0 (?:live|test)_(?=[a-zA-Z]*\d)[A-Za-z0-9]{30,50}
ASANA_TOKEN [12]/1 0 [12]/\d{10,20}(?:/\d{10,20})?:[0-9a-f]{32}
"""  # noqa: E501


@dataclass(frozen=True, slots=True)
class Format:
    """How a credential is written; group 1 is the secret where not all of it is."""

    kind: str
    hints: tuple[str, ...]
    """In lower case; one of them stands in each credential."""
    num_before: int
    """How many characters before its hint a credential begins."""
    is_at_most: bool
    """Whether `num_before` is a limit only; in the table such numbers begin with `~`."""
    pattern: re.Pattern[str]


# A word may end where an escape of the text around it does (`\\n`, `%3D`).
_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-F]{2}))"
_END = r"(?![A-Za-z0-9])"
_CHOICE = re.compile(r"\[([^\]]+)\]")


@cache
def formats() -> tuple[Format, ...]:
    """Return all formats, in the order of the table."""
    return tuple(_read(line) for line in _TABLE.strip().splitlines())


def _read(line: str) -> Format:
    kind, hints, num_before, pattern = line.split(None, 3)
    written = tuple(each for hint in hints.split(",") for each in _spelled_out(hint))
    compiled = re.compile(f"{_START}(?:{pattern}){_END}")
    return Format(kind, written, int(num_before.lstrip("~")), num_before[0] == "~", compiled)


def _spelled_out(hint: str) -> list[str]:
    """`gh[pou]_` -> `ghp_`, `gho_`, `ghu_`; ranges such as `[a-z]` as well."""
    choice = _CHOICE.search(hint)
    if choice is None:
        return [hint]
    letters = re.sub(r"(.)-(.)", lambda span: _between(span[1], span[2]), choice[1])
    rest = _spelled_out(hint[choice.end() :])
    return [f"{hint[: choice.start()]}{each}{end}" for each in letters for end in rest]


def _between(first: str, last: str) -> str:
    return "".join(map(chr, range(ord(first), ord(last) + 1)))
