//! Who AWS says that somebody is: STS's GetCallerIdentity, which everybody may call.

use aws_config::SdkConfig;
use aws_credential_types::Credentials as Keys;

use crate::aws::explain::SendError;
use crate::aws::setup;

/// An identity, as AWS knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account's twelve digits.
    pub account: String,
    /// The user's or the assumed role's ARN.
    pub arn: String,
}

impl Caller {
    /// The partition that the identity belongs to, as ARNs name it.
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).unwrap_or_default()
    }
}

/// Asks STS; none where the answer makes no sense.
pub async fn identify(config: &SdkConfig, keys: Keys) -> Result<Option<Caller>, SendError> {
    let plain = setup::endpoint_override(config, setup::STS).is_none();
    let config = aws_sdk_sts::config::Builder::from(config)
        .credentials_provider(keys)
        .use_fips(plain && config.use_fips() == Some(true))
        .use_dual_stack(plain && config.use_dual_stack() == Some(true))
        .build();
    let answer = aws_sdk_sts::Client::from_conf(config)
        .get_caller_identity()
        .send()
        .await?;
    Ok(answer
        .account
        .zip(answer.arn)
        .map(|(account, arn)| Caller { account, arn }))
}
