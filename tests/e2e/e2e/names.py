"""The registries and AWS identities of a run. All names but the last lead to one registry on 127.0.0.1:443."""

US = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
US_OTHER_ACCOUNT = "210987654321.dkr.ecr.us-east-1.amazonaws.com"
EUROPE = "210987654321.dkr.ecr.eu-west-1.amazonaws.com"
DUAL_STACK = "123456789012.dkr-ecr.eu-central-1.on.aws"
PUBLIC = "public.ecr.aws"
# With the service and region of each: two accounts of a region have one token.
ECR = {
    US: "ecr us-east-1",
    US_OTHER_ACCOUNT: "ecr us-east-1",
    EUROPE: "ecr eu-west-1",
    DUAL_STACK: "ecr eu-central-1",
    PUBLIC: "ecr-public us-east-1",
}
# More that are asked for alone, and lead nowhere.
FIPS = "123456789012.dkr.ecr-fips.us-east-2.amazonaws.com"
DUAL_STACK_FIPS = "123456789012.dkr-ecr-fips.us-west-2.on.aws"
GOV = "123456789012.dkr.ecr.us-gov-east-1.amazonaws.com"
GOV_FIPS = "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com"
GOV_DUAL_STACK = "210987654321.dkr-ecr.us-gov-east-1.on.aws"
GOV_DUAL_STACK_FIPS = "210987654321.dkr-ecr-fips.us-gov-west-1.on.aws"
CHINA = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"
CHINA_DUAL_STACK = "123456789012.dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn"
PUBLIC_DUAL_STACK = "ecr-public.aws.com"
ALL_ECR = {
    **ECR,
    FIPS: "ecr us-east-2",
    DUAL_STACK_FIPS: "ecr us-west-2",
    GOV: "ecr us-gov-east-1",
    GOV_FIPS: "ecr us-gov-west-1",
    GOV_DUAL_STACK: "ecr us-gov-east-1",
    GOV_DUAL_STACK_FIPS: "ecr us-gov-west-1",
    CHINA: "ecr cn-north-1",
    CHINA_DUAL_STACK: "ecr cn-northwest-1",
    PUBLIC_DUAL_STACK: "ecr-public us-east-1",
}
# A partition's private names, plain, FIPS, dual-stack and both (China has no FIPS); and those of ECR Public.
FAMILIES = [
    [US, FIPS, DUAL_STACK, DUAL_STACK_FIPS],
    [GOV, GOV_FIPS, GOV_DUAL_STACK, GOV_DUAL_STACK_FIPS],
    [CHINA, CHINA_DUAL_STACK],
    [PUBLIC, PUBLIC_DUAL_STACK],
]
# Not ECR, and open to everybody.
OPEN = "registry.example.com:5000"
NOT_ECR = ["nginx", "nginx:1.27", "library/nginx", "docker.io/library/nginx:1", f"{OPEN}/app:1", f"{US}.example.com/app"]

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"}
# A profile of the homes' ~/.aws/config: keys, and a role assumed with them.
ROLE = {"AWS_PROFILE": "ci"}
NOBODY = {}

AWS_CONFIG = """\
[profile ci]
role_arn = arn:aws:iam::123456789012:role/ci
source_profile = builder
"""
AWS_CREDENTIALS = """\
[builder]
aws_access_key_id = AKIAFAKEBUILDER00000
aws_secret_access_key = a-made-up-secret-of-the-builder
"""


def keys(access_key_id, **more):
    return {"AWS_ACCESS_KEY_ID": access_key_id, "AWS_SECRET_ACCESS_KEY": "a-made-up-secret", **more}


# Its tokens end in half a minute, which is too soon to keep one.
SHORT_LIVED = keys("AKIAFAKESHORT0000000")
