//! The secret of the member code: a key in the browser's own keeping, that signs and that nobody can read out. A
//! browser may have no place for one, or refuse: then there is none.
//!
//! What the browser is told for that is in `public/code-key.js`.

use js_sys::{Array, Function, Object, Promise, Reflect};
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Where everything is kept that signing out deletes, as `public/code-key.js` calls it.
const DATABASE: &str = "loyalty-wallet";

const MODULE: &str = "/code-key.js";

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = "import")]
    fn import(path: &str) -> Promise;
}

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// What keeps it did not arrive.
    NotThere,
    /// This browser keeps none.
    Unable,
}

/// What is known of a key that is to be kept.
pub struct NewKey<'a> {
    /// What the server calls it.
    pub id: &'a str,
    /// Whose it is.
    pub member_number: &'a str,
    /// The secret itself, in base64url.
    pub secret: &'a str,
    /// When the server made it, in milliseconds.
    pub made_at: f64,
}

/// A key that is kept.
#[derive(Clone)]
pub struct CodeKey {
    /// What the server calls it.
    pub id: String,
    /// Whose it is.
    pub member_number: String,
    key: SendWrapper<JsValue>,
}

impl CodeKey {
    fn of(record: &JsValue) -> Option<Self> {
        let text = |name: &str| get(record, name).as_string();
        Some(Self {
            id: text("key_id")?,
            member_number: text("member_number")?,
            key: SendWrapper::new(get(record, "key")),
        })
    }

    /// The authentication code of a message (HMAC-SHA-256).
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Trouble> {
        let message: Array = message.iter().copied().map(JsValue::from).collect();
        let mac: Array = call("sign", &[(*self.key).clone(), message.into()])
            .await?
            .dyn_into()
            .map_err(|_| Trouble::Unable)?;
        Ok(mac
            .iter()
            .filter_map(|byte| byte.as_f64())
            .map(|byte| byte as u8)
            .collect())
    }
}

/// The key that is kept, if there is one.
pub async fn read() -> Result<Option<CodeKey>, Trouble> {
    call("read", &[]).await.map(|record| CodeKey::of(&record))
}

/// Keeps a key. What it was made of is nowhere afterwards.
pub async fn keep(new: NewKey<'_>) -> Result<CodeKey, Trouble> {
    let about = Object::new();
    let fields: [(&str, JsValue); 3] = [
        ("key_id", new.id.into()),
        ("member_number", new.member_number.into()),
        ("made_at", new.made_at.into()),
    ];
    for (name, value) in fields {
        // Setting a field of a plain object cannot fail.
        let _ = Reflect::set(&about, &name.into(), &value);
    }
    let record = call("keep", &[new.secret.into(), about.into()]).await?;
    CodeKey::of(&record).ok_or(Trouble::Unable)
}

/// Deletes the key, if there is one: another member may be next.
pub fn forget() {
    let databases = get(&js_sys::global(), "indexedDB");
    if let Ok(delete) = get(&databases, "deleteDatabase").dyn_into::<Function>() {
        let _ = delete.call1(&databases, &DATABASE.into());
    }
}

async fn call(name: &str, arguments: &[JsValue]) -> Result<JsValue, Trouble> {
    let module = JsFuture::from(import(MODULE)).await.map_err(|_| Trouble::NotThere)?;
    let function: Function = get(&module, name).dyn_into().map_err(|_| Trouble::Unable)?;
    let arguments: Array = arguments.iter().collect();
    let answer = function.apply(&module, &arguments).map_err(|_| Trouble::Unable)?;
    JsFuture::from(Promise::resolve(&answer))
        .await
        .map_err(|_| Trouble::Unable)
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}
