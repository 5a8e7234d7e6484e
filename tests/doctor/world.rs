//! An account in which everything is right, as AWS and DNS answer about it: in the documented shapes.

use serde_json::json;

use crate::support::account::{Account, Answers};
use crate::support::dns::{NameServer, Zone};

/// The bucket, the function, the alias map and the account of the set-up.
pub const MAP: &str = r#"{"shop@example.com": ["jane@example.net"], "@example.com": "omar@example.net"}"#;

const ARN: &str = "arn:aws:lambda:eu-west-1:111122223333:function:readdress";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:readdress-failed";
const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:alarms";
const RULE: &str =
    "arn:aws:ses:eu-west-1:111122223333:receipt-rule-set/readdress:receipt-rule/readdress-forward";
pub const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/0000-1111";

/// What AWS and DNS answer, to be broken on purpose.
pub struct World {
    pub answers: Answers,
    pub zone: Zone,
}

impl World {
    /// Everything right.
    pub fn right() -> Self {
        let mut world = World {
            answers: Answers::new(),
            zone: zone(),
        };
        world.ses();
        world.receipt_rules();
        world.storage();
        world.function();
        world.watch();
        world
    }

    #[allow(clippy::needless_pass_by_value)] // Texts and JSON values alike.
    pub fn answer(&mut self, asked: &str, status: u16, answer: impl ToString) {
        self.answers
            .insert(asked.to_owned(), (status, answer.to_string()));
    }

    /// Puts another text in the place of one in an answer.
    ///
    /// # Panics
    /// If it is not there: the case would test nothing.
    pub fn edit(&mut self, asked: &str, text: &str, with: &str) {
        let (_, answer) = self
            .answers
            .get_mut(asked)
            .unwrap_or_else(|| panic!("nothing answers {asked}"));
        assert!(answer.contains(text), "{text} is not in {answer}");
        *answer = answer.replace(text, with);
    }

    /// Puts another value in the place of those that a name has.
    pub fn record(&mut self, name: &str, kind: &'static str, value: Option<&str>) {
        self.zone.retain(|(other, of, _)| other != name || *of != kind);
        let record = |value: &str| (name.to_owned(), kind, value.to_owned());
        self.zone.extend(value.map(record));
    }

    pub fn start(self) -> (Account, NameServer) {
        (Account::start(self.answers), NameServer::start(self.zone))
    }

    fn ses(&mut self) {
        let caller = "<R><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/operator</Arn>\
            <Account>111122223333</Account></GetCallerIdentityResult></R>";
        self.answer("sts GetCallerIdentity", 200, caller);
        let account = json!({
            "ProductionAccessEnabled": true, "SendingEnabled": true, "EnforcementStatus": "HEALTHY",
            "SendQuota": {"Max24HourSend": 50000.0, "MaxSendRate": 14.0, "SentLast24Hours": 120.0},
            "Details": {"ReviewDetails": {"Status": "GRANTED"}},
            "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
            "PricingAttributes": {"CurrentPlan": "ESSENTIALS"},
        });
        self.answer("ses GET /v2/email/account", 200, account);
        let identity = json!({
            "IdentityType": "DOMAIN", "VerifiedForSendingStatus": true, "FeedbackForwardingStatus": false,
            "VerificationStatus": "SUCCESS",
            "DkimAttributes": {"SigningEnabled": true, "Status": "SUCCESS", "Tokens": ["t1", "t2", "t3"],
                "SigningAttributesOrigin": "AWS_SES", "SigningHostedZone": "dkim.amazonses.com"},
            "MailFromAttributes": {"MailFromDomain": "bounce.example.com", "MailFromDomainStatus": "SUCCESS",
                "BehaviorOnMxFailure": "USE_DEFAULT_VALUE"},
        });
        self.answer("ses GET /v2/email/identities/example.com", 200, identity);
        let set = json!({
            "ConfigurationSetName": "readdress", "SendingOptions": {"SendingEnabled": true},
            "SuppressionOptions": {"SuppressedReasons": ["BOUNCE"]},
        });
        self.answer("ses GET /v2/email/configuration-sets/readdress", 200, set);
        let destinations = json!({"EventDestinations": [{"Name": "metrics", "Enabled": true,
            "MatchingEventTypes": ["BOUNCE", "COMPLAINT", "REJECT"], "CloudWatchDestination": {}}]});
        let asked = "ses GET /v2/email/configuration-sets/readdress/event-destinations";
        self.answer(asked, 200, destinations);
        let asked = "ses GET /v2/email/suppression/addresses?PageSize=1000";
        let others = json!({"SuppressedDestinationSummaries":
            [{"EmailAddress": "gone@example.org", "Reason": "BOUNCE", "LastUpdateTime": 1_772_699_412.0}]});
        self.answer(asked, 200, others);
    }

    fn receipt_rules(&mut self) {
        let rules = format!(
            "<R><DescribeActiveReceiptRuleSetResult><Metadata><Name>readdress</Name></Metadata><Rules><member>\
             <Name>readdress-forward</Name><Enabled>true</Enabled><TlsPolicy>Optional</TlsPolicy>\
             <ScanEnabled>true</ScanEnabled><Recipients><member>example.com</member></Recipients><Actions>\
             <member><AddHeaderAction><HeaderName>X-SES-Forwarded-By</HeaderName></AddHeaderAction></member>\
             <member><S3Action><BucketName>mail</BucketName><ObjectKeyPrefix>inbound/</ObjectKeyPrefix></S3Action></member>\
             <member><LambdaAction><FunctionArn>{ARN}</FunctionArn><InvocationType>Event</InvocationType></LambdaAction></member>\
             <member><StopAction><Scope>RuleSet</Scope></StopAction></member></Actions></member>\
             </Rules></DescribeActiveReceiptRuleSetResult></R>"
        );
        self.answer("ses DescribeActiveReceiptRuleSet", 200, rules);
    }

    fn storage(&mut self) {
        self.answer("s3 HEAD /mail", 200, "eu-west-1");
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Sid": "SesPutsMail", "Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"},
             "Action": "s3:PutObject", "Resource": "arn:aws:s3:::mail/inbound/*",
             "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333", "aws:SourceArn": RULE}}},
            {"Sid": "OnlyOverTls", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
             "Resource": ["arn:aws:s3:::mail", "arn:aws:s3:::mail/*"],
             "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]});
        self.answer("s3 GET /mail?policy=", 200, policy);
        let encryption = format!(
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>\
             <SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>{KEY}</KMSMasterKeyID>\
             </ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"
        );
        self.answer("s3 GET /mail?encryption=", 200, encryption);
        let key_policy = json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"},
            "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*"}]});
        let key_policy = json!({"Policy": key_policy.to_string(), "PolicyName": "default"});
        self.answer("kms GetKeyPolicy", 200, key_policy);
        let rule = |prefix: &str| {
            format!(
                "<Rule><ID>r</ID><Status>Enabled</Status><Filter><Prefix>{prefix}</Prefix></Filter>\
                 <Expiration><Days>30</Days></Expiration></Rule>"
            )
        };
        let lifecycle = format!(
            "<LifecycleConfiguration>{}{}<Rule><ID>u</ID><Status>Enabled</Status><Filter/>\
             <AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation>\
             </AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>",
            rule("inbound/"),
            rule("ledger/")
        );
        self.answer("s3 GET /mail?lifecycle=", 200, lifecycle);
        self.answer("s3 GET /mail?notification=", 200, "<NotificationConfiguration/>");
        self.map(MAP);
        let tier = json!({"Parameters": [{"Name": "/readdress/aliases", "Tier": "Standard"}]});
        self.answer("ssm DescribeParameters", 200, tier);
    }

    /// The alias map.
    pub fn map(&mut self, map: &str) {
        let parameter = json!({"Parameter": {"Name": "/readdress/aliases", "Value": map}});
        self.answer("ssm GetParameter", 200, parameter);
    }

    fn function(&mut self) {
        let configuration = json!({
            "FunctionName": "readdress", "FunctionArn": ARN, "Runtime": "provided.al2023",
            "Role": "arn:aws:iam::111122223333:role/readdress-eu-west-1", "Architectures": ["arm64"],
            "State": "Active", "LastUpdateStatus": "Successful", "MemorySize": 128, "Timeout": 300,
            "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/aws/lambda/readdress"},
            "Environment": {"Variables": {"EMAIL_BUCKET": "mail", "EMAIL_PREFIX": "inbound/",
                "ALIAS_MAP_PARAM": "/readdress/aliases", "CONFIGURATION_SET": "readdress"}},
        });
        let path = "lambda GET /2015-03-31/functions/readdress";
        self.answer(&format!("{path}/configuration"), 200, configuration);
        let policy = json!({"Statement": [{"Sid": "SesInvokes", "Effect": "Allow",
            "Principal": {"Service": "ses.amazonaws.com"}, "Action": "lambda:InvokeFunction", "Resource": ARN,
            "Condition": {"StringEquals": {"AWS:SourceAccount": "111122223333"}, "ArnLike": {"AWS:SourceArn": RULE}}}]});
        self.answer(
            &format!("{path}/policy"),
            200,
            json!({"Policy": policy.to_string()}),
        );
        let asked = "lambda GET /2019-09-30/functions/readdress/concurrency";
        self.answer(asked, 200, "{}");
        let invoke = json!({"FunctionArn": ARN, "MaximumRetryAttempts": 2,
            "DestinationConfig": {"OnFailure": {"Destination": QUEUE}}});
        let asked = "lambda GET /2019-09-25/functions/readdress/event-invoke-config";
        self.answer(asked, 200, invoke);
        let allowed = "<R><SimulatePrincipalPolicyResult><EvaluationResults><member>\
            <EvalDecision>allowed</EvalDecision></member></EvaluationResults></SimulatePrincipalPolicyResult></R>";
        self.answer("iam SimulatePrincipalPolicy", 200, allowed);
    }

    /// Alarms that watch these: a name, a namespace, a metric, a dimension.
    pub fn alarms(&mut self, watched: &[(&str, &str, &str, &str)]) {
        let alarms: String = watched
            .iter()
            .map(|(name, namespace, metric, dimension)| {
                format!(
                    "<member><AlarmName>readdress-{name}</AlarmName><Namespace>{namespace}</Namespace>\
                     <MetricName>{metric}</MetricName><Dimensions><member><Name>n</Name><Value>{dimension}</Value>\
                     </member></Dimensions><ActionsEnabled>true</ActionsEnabled>\
                     <AlarmActions><member>{TOPIC}</member></AlarmActions><StateValue>OK</StateValue></member>"
                )
            })
            .collect();
        let result = format!("<MetricAlarms>{alarms}</MetricAlarms>");
        let answer = format!("<R><DescribeAlarmsResult>{result}</DescribeAlarmsResult></R>");
        self.answer("monitoring DescribeAlarms", 200, answer);
    }

    fn watch(&mut self) {
        let url = "https://sqs.eu-west-1.amazonaws.com/111122223333/readdress-failed";
        self.answer("sqs GetQueueUrl", 200, json!({"QueueUrl": url}));
        let attributes = json!({"Attributes": {"ApproximateNumberOfMessages": "0",
            "ApproximateNumberOfMessagesNotVisible": "0", "MessageRetentionPeriod": "1209600"}});
        self.answer("sqs GetQueueAttributes", 200, attributes);
        self.alarms(&[
            ("failed", "readdress", "failed", "readdress"),
            (
                "dead-letters",
                "AWS/SQS",
                "ApproximateNumberOfMessagesVisible",
                "readdress-failed",
            ),
        ]);
        let entry = |key: &str, value: &str| format!("<entry><key>{key}</key><value>{value}</value></entry>");
        let topic = format!(
            "<R><GetTopicAttributesResult><Attributes>{}{}</Attributes></GetTopicAttributesResult></R>",
            entry("SubscriptionsConfirmed", "1"),
            entry("SubscriptionsPending", "0")
        );
        self.answer("sns GetTopicAttributes", 200, topic);
        for (metric, statistic, value) in [
            ("Reputation.BounceRate", "Maximum", "0.01"),
            ("Reputation.ComplaintRate", "Maximum", "0.0"),
            ("Invocations", "Sum", "40.0"),
            ("Errors", "Sum", "1.0"),
        ] {
            self.statistic(metric, statistic, value);
        }
    }

    pub fn statistic(&mut self, metric: &str, statistic: &str, value: &str) {
        let answer = format!(
            "<R><GetMetricStatisticsResult><Datapoints><member><Timestamp>2026-11-26T10:00:00Z</Timestamp>\
             <{statistic}>{value}</{statistic}></member></Datapoints></GetMetricStatisticsResult></R>"
        );
        self.answer(&format!("monitoring GetMetricStatistics {metric}"), 200, answer);
    }
}

fn zone() -> Zone {
    let record = |name: &str, kind: &'static str, value: &str| (name.to_owned(), kind, value.to_owned());
    let mut zone = vec![
        record("inbound-smtp.eu-west-1.amazonaws.com", "A", "192.0.2.1"),
        record("example.com", "NS", "ns.example.net"),
        record("example.com", "MX", "10 inbound-smtp.eu-west-1.amazonaws.com"),
        record("_dmarc.example.com", "TXT", "v=DMARC1; p=none"),
        record(
            "bounce.example.com",
            "MX",
            "10 feedback-smtp.eu-west-1.amazonses.com",
        ),
        record("bounce.example.com", "TXT", "v=spf1 include:amazonses.com ~all"),
    ];
    zone.extend(["t1", "t2", "t3"].map(|token| {
        let name = format!("{token}._domainkey.example.com");
        (name, "CNAME", format!("{token}.dkim.amazonses.com"))
    }));
    zone
}
