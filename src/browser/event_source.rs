//! A stream of events from the server, which the browser opens again by itself when it breaks.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventSource, EventSourceInit, MessageEvent};

/// The stream opened, for the first time or again.
pub const OPEN: &str = "open";

/// The stream broke.
pub const ERROR: &str = "error";

/// A stream that is open, or about to be; it ends when this is dropped.
pub struct EventStream {
    source: EventSource,
    hear: Closure<dyn Fn(Event)>,
}

impl EventStream {
    /// Opens a stream, and calls `hear` with the name and the data of each of these events, and when it opens or breaks.
    pub fn open(address: &str, names: &[&str], hear: impl Fn(&str, &str) + 'static) -> Option<Self> {
        let options = EventSourceInit::new();
        options.set_with_credentials(true);
        let source = EventSource::new_with_event_source_init_dict(address, &options).ok()?;
        let hear = Closure::<dyn Fn(Event)>::new(move |event: Event| {
            let data = event.dyn_ref::<MessageEvent>().and_then(|told| told.data().as_string());
            hear(&event.type_(), &data.unwrap_or_default());
        });
        for name in [OPEN, ERROR].iter().chain(names) {
            let _ = source.add_event_listener_with_callback(name, hear.as_ref().unchecked_ref());
        }
        Some(Self { source, hear })
    }

    /// Whether the browser has given up: it then never opens the stream again.
    pub fn is_over(&self) -> bool {
        self.source.ready_state() == EventSource::CLOSED
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        for name in [OPEN, ERROR] {
            let _ = self
                .source
                .remove_event_listener_with_callback(name, self.hear.as_ref().unchecked_ref());
        }
        self.source.close();
    }
}
