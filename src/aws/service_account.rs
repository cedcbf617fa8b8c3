//! AssumeRoleWithWebIdentity with a pod's service account token.

use aws_config::SdkConfig;
use aws_credential_types::Credentials as Keys;

use crate::aws::explain::SendError;
use crate::aws::hops;
use crate::service_account::ServiceAccount;

/// The credentials of the service account's role; none where STS's answer holds none. The request is not signed: the
/// token is its proof.
pub async fn assume_role(account: &ServiceAccount, config: &SdkConfig) -> Result<Option<Keys>, SendError> {
    let request = aws_sdk_sts::Client::new(config)
        .assume_role_with_web_identity()
        .role_arn(&account.role_arn)
        .role_session_name(account.session_name())
        .web_identity_token(account.token.expose());
    let answer = request.send().await?;
    Ok(answer.credentials.map(hops::keys))
}
