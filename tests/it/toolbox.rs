//! The tools of a site as its admins see them, and the customers of the shop as its tools see them.

use actix_web::rt::test;
use jsonwebtoken::{EncodingKey, Header, encode};
use rushdesk::{
    domain::{PrincipalId, Role, SiteId},
    tools::Customers,
};
use serde_json::{Value, json};

use super::harness::*;

const IDENTITY: &str = "the-identity-key-of-this-shop-7f3c9a21";
const SECRET: &str = "the-key-of-the-shop";

fn shop() -> (&'static str, String) {
    let site = format!(
        "[{{id=\"shop\",name=\"S\",site_key=\"pk_shop\",identity_secret=\"{IDENTITY}\",\
         shop={{url=\"https://shop.example/api\",key=\"{SECRET}\"}},\
         tools=[{{name=\"cancel_order\",enabled=false}},\
         {{name=\"hours\",description=\"When people answer.\",effect=\"read\",identity=\"nobody\",\
         url=\"https://desk.example/hours\",headers={{x-api-key=\"{SECRET}\"}}}}]}}]"
    );
    ("sites", site)
}

#[test]
async fn an_admin_sees_the_tools_of_the_own_site_and_no_secret() {
    let app = TestApp::with(&[shop()]).await;
    let admin = app.staff("shop", Role::Admin, "admin@example.com").await;
    let tools = ok(admin.get("/v1/tools")).await;
    assert!(!tools.to_string().contains(SECRET), "{tools}");
    let items = tools["items"].as_array().unwrap();
    let names: Vec<&str> = items.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 8, "{names:?}");
    assert!(!names.contains(&"cancel_order") && names.contains(&"order_status"), "{names:?}");
    assert_eq!(items[7]["target"], "https://desk.example");
    let page = app.app().metrics.render();
    let declared = "rushdesk_tools_calls_total{tool=\"hours\",outcome=\"in_doubt\"} 0";
    assert!(page.contains(declared), "a tool shows before its first call");
    let target = "rushdesk_tools_breaker_open{target=\"https://desk.example\"} 0";
    assert!(page.contains(target), "and so does its target");
    app.stop().await;
}

#[test]
async fn a_customer_of_the_shop_is_known_by_the_shops_own_id_and_nobody_else_is() {
    let app = TestApp::with(&[shop()]).await;
    let claims = json!({"iss": "shop", "sub": "customer-7", "exp": rushdesk::clock::now().as_millis() / 1_000 + 60});
    let token = encode(&Header::default(), &claims, &EncodingKey::from_secret(IDENTITY.as_bytes()))
        .unwrap();
    let body = json!({"site_key": "pk_shop", "identity_token": token});
    let known = ok(app.auth("identify", &body)).await;
    let own = json!({"site_key": "pk_demo", "email": "eva@example.com", "password": "correct horse battery"});
    let registered = ok(app.auth("register", &own)).await;
    let id = |tokens: &Value| -> PrincipalId {
        tokens["principal"]["id"].as_str().unwrap().parse().unwrap()
    };
    let customers = Customers::new(app.archive().clone());
    let of = async |site: &str, id: PrincipalId| {
        customers.of(&SiteId::parse(site).unwrap(), id).await.unwrap().map(|customer| customer.id)
    };
    // The second time it is remembered.
    for _ in 0..2 {
        assert_eq!(of("shop", id(&known)).await.as_deref(), Some("customer-7"));
        assert_eq!(of("demo", id(&known)).await, None, "another site");
        assert_eq!(of("demo", id(&registered)).await, None, "known here, and not to the shop");
        assert_eq!(of("shop", PrincipalId::new()).await, None, "a visitor");
    }
    app.stop().await;
}
