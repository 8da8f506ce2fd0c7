use super::*;
use crate::connect::LocalStack;

/// An answer as CloudFormation's documentation shows it.
const ANSWER: &str = r#"<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
  <DescribeStacksResult>
    <Stacks>
      <member>
        <StackName>rollcall</StackName>
        <Parameters><member><ParameterKey>MailSender</ParameterKey><ParameterValue>x</ParameterValue></member></Parameters>
        <StackStatus>UPDATE_COMPLETE</StackStatus>
        <Outputs>
          <member>
            <Description>Where the API is.</Description>
            <OutputKey>ApiUrl</OutputKey>
            <OutputValue>https://abc.execute-api.eu-west-1.amazonaws.com</OutputValue>
          </member>
          <member><OutputKey>Odd</OutputKey><OutputValue>a&amp;b &lt;c&gt;</OutputValue></member>
          <member><OutputKey>Half</OutputKey></member>
        </Outputs>
        <Tags/>
      </member>
    </Stacks>
  </DescribeStacksResult>
  <ResponseMetadata><RequestId>b9b4b068-3a41-11e5-94eb-example</RequestId></ResponseMetadata>
</DescribeStacksResponse>"#;

fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>x</RequestId></ErrorResponse>"
    )
}

#[test]
fn the_outputs_are_read_and_nothing_else_is_taken_for_one() {
    let stack = DeployedStack::read(200, ANSWER).unwrap();
    assert_eq!(stack.status, "UPDATE_COMPLETE");
    let outputs: Vec<_> = stack.outputs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(outputs, [("ApiUrl", "https://abc.execute-api.eu-west-1.amazonaws.com"), ("Odd", "a&b <c>")]);
}

#[test]
fn what_cloudformation_refuses_is_told_in_its_words() {
    let told = |status, answer: &str| DeployedStack::read(status, answer).unwrap_err().to_string();
    let nobody = error("ValidationError", "Stack with id rolcall does not exist");
    assert!(told(400, &nobody).starts_with("Stack with id rolcall does not exist; look at AWS_REGION"));
    assert!(told(403, &error("ExpiredToken", "x")).contains("expired"));
    let denied = "User: arn:aws:iam::1:user/ann is not authorized to perform: cloudformation:DescribeStacks";
    assert_eq!(told(403, &error("AccessDenied", denied)), format!("CloudFormation refuses (AccessDenied): {denied}"));
    for (status, answer) in
        [(200, ""), (200, "{}"), (502, "<html>Bad Gateway</html>"), (200, "<DescribeStacksResponse/>")]
    {
        assert!(told(status, answer).contains("makes no sense"), "{answer}");
    }
}

/// However an answer is cut, it is read or refused, and no output is made up.
#[test]
fn a_cut_answer_makes_up_nothing() {
    let whole = DeployedStack::read(200, ANSWER).unwrap().outputs;
    for end in 0..ANSWER.len() {
        if let Ok(stack) = DeployedStack::read(200, &ANSWER[..end]) {
            assert!(
                stack.outputs.iter().all(|(key, value)| whole.get(key).is_some_and(|known| known.starts_with(value)))
            );
        }
    }
}

#[tokio::test]
async fn the_question_is_signed_for_the_region_and_escaped() {
    let stack = LocalStack {
        dynamodb: String::new(),
        s3: String::new(),
        ses: String::new(),
        secrets_manager: String::new(),
        region: "eu-west-1".to_owned(),
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: "hush".to_owned(),
    };
    let question = Aws::local(stack).await.ask_about("a&b=c").await.unwrap();
    assert_eq!(question.url, "https://cloudformation.eu-west-1.amazonaws.com/");
    assert_eq!(question.form, "Action=DescribeStacks&Version=2010-05-15&StackName=a%26b%3Dc");
    let authorization =
        question.headers.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.as_str());
    let authorization = authorization.expect("a signature");
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{authorization}");
    assert!(
        authorization.contains("/eu-west-1/cloudformation/aws4_request, SignedHeaders=content-type;host;x-amz-date,")
    );
    assert!(question.headers.iter().all(|(_, value)| !value.contains("hush")));
}
