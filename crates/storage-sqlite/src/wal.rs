//! Reading SQLite's write-ahead log: <https://www.sqlite.org/fileformat2.html#walformat>.

/// The length of the log's header.
pub(crate) const HEADER: usize = 32;
/// The length of a frame's header, before its page.
pub(crate) const FRAME: usize = 24;
const MAGIC: u32 = 0x377f_0682;

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}

/// One page as a transaction left it.
pub(crate) struct Frame<'a> {
    /// Which page, from 1.
    pub(crate) page: u32,
    /// The length of the database in pages after this commit; 0 inside a transaction.
    pub(crate) commit: u32,
    pub(crate) image: &'a [u8],
}

/// Follows a log from its header on, and believes only frames whose checksums follow from all before.
#[derive(Clone)]
pub(crate) struct Reader {
    big_endian: bool,
    page_size: usize,
    salts: [u8; 8],
    sum: (u32, u32),
    length: u64,
}

impl Reader {
    /// Nothing if this is not the header of a log.
    pub(crate) fn begin(head: &[u8; HEADER]) -> Option<Self> {
        let magic = word(head, 0)?;
        let mut reader = Self {
            big_endian: magic & 1 == 1,
            page_size: usize::try_from(word(head, 8)?).ok()?,
            salts: *head.get(16..)?.first_chunk()?,
            sum: (0, 0),
            length: HEADER as u64,
        };
        if magic & !1 != MAGIC || !(512..=65_536).contains(&reader.page_size) {
            return None;
        }
        reader.add(&head[..24]);
        (Some(reader.sum.0) == word(head, 24) && Some(reader.sum.1) == word(head, 28)).then_some(reader)
    }

    pub(crate) fn salts(&self) -> [u8; 8] {
        self.salts
    }

    /// How much of the log was read, up to a commit.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn page_size(&self) -> usize {
        self.page_size
    }

    fn add(&mut self, bytes: &[u8]) {
        for pair in bytes.chunks_exact(8) {
            let read = |at: usize| {
                let four = pair.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
                if self.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
            };
            let (first, second) = (read(0), read(4));
            self.sum.0 = self.sum.0.wrapping_add(first).wrapping_add(self.sum.1);
            self.sum.1 = self.sum.1.wrapping_add(second).wrapping_add(self.sum.0);
        }
    }

    /// The next frame of what follows, if it is whole and right.
    pub(crate) fn frame<'a>(&mut self, rest: &'a [u8]) -> Option<Frame<'a>> {
        let (head, image) = rest.get(..FRAME + self.page_size)?.split_at(FRAME);
        let mut next = self.clone();
        next.add(&head[..8]);
        next.add(image);
        let right =
            head[8..16] == self.salts && word(head, 16)? == next.sum.0 && word(head, 20)? == next.sum.1;
        if !right {
            return None;
        }
        next.length += rest.len().min(FRAME + self.page_size) as u64;
        *self = next;
        Some(Frame { page: word(head, 0)?, commit: word(head, 4)?, image })
    }

    /// What of the bytes that follow belongs to whole transactions. The reader is then behind the last one.
    pub(crate) fn committed<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (mut ahead, mut rest, mut taken) = (self.clone(), bytes, 0);
        while let Some(frame) = ahead.frame(rest) {
            let commit = frame.commit != 0;
            rest = &rest[FRAME + self.page_size..];
            if commit {
                taken = bytes.len() - rest.len();
                *self = ahead.clone();
            }
        }
        &bytes[..taken]
    }
}
