//! The three entries: each is a page of its own whose scripts show what its path means.

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// For issuers and merchants.
    Console,
    /// For cashiers.
    Till,
    /// For card holders.
    Wallet,
}

impl Entry {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Console, Self::Till, Self::Wallet];

    /// The page that shows this path.
    pub fn of(path: &str) -> Self {
        let is_below =
            |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if is_below("/till") {
            Self::Till
        } else if is_below("/wallet") {
            Self::Wallet
        } else {
            Self::Console
        }
    }

    /// Its file in `web/dist`.
    pub(crate) const fn file(self) -> &'static str {
        match self {
            Self::Console => "index.html",
            Self::Till => "till.html",
            Self::Wallet => "wallet.html",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_the_entry_that_it_begins_with() {
        for (path, entry) in [
            ("/", Entry::Console),
            ("/cards/card_1", Entry::Console),
            ("/till", Entry::Till),
            ("/till/", Entry::Till),
            ("/till/sale", Entry::Till),
            ("/tills", Entry::Console),
            ("/wallet", Entry::Wallet),
            ("/wallet/cards/card_1", Entry::Wallet),
            ("/walletx", Entry::Console),
        ] {
            assert_eq!(Entry::of(path), entry, "{path}");
        }
    }
}
