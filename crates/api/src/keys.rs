//! Keys for tills and CRM: what each may do. Only their hashes are stored.

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Record purchases.
    Purchases,
    /// Record returns.
    Returns,
    /// Name a member by the bare number.
    Number,
    /// Find a member by what they show.
    Identify,
    /// Use vouchers.
    Capture,
    /// Take used vouchers back.
    Refund,
    /// Give and take points.
    Adjust,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 7] = [
        Self::Purchases,
        Self::Returns,
        Self::Number,
        Self::Identify,
        Self::Capture,
        Self::Refund,
        Self::Adjust,
    ];

    /// What a till gets unless told otherwise.
    pub const TILL: [Self; 6] = [
        Self::Purchases,
        Self::Returns,
        Self::Number,
        Self::Identify,
        Self::Capture,
        Self::Refund,
    ];

    /// What a CRM gets unless told otherwise.
    pub const CRM: [Self; 2] = [Self::Number, Self::Adjust];

    /// As people write it, and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Purchases => "purchases",
            Self::Returns => "returns",
            Self::Number => "number",
            Self::Identify => "identify",
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Adjust => "adjust",
        }
    }

    /// The scope of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}
