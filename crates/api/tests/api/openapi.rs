use crate::support::Api;

#[tokio::test]
async fn the_document_is_what_integrators_were_promised() {
    let api = Api::start().await;
    let document = api.visitor().read("/openapi.json").await;
    assert_eq!(document["openapi"], "3.1.0");
    insta::assert_json_snapshot!("openapi", document);
}
