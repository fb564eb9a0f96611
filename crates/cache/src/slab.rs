//! Things named by tokens that are never used again, even when their place is.

const NUMBER_BITS: u32 = 32;
const ROUND_MASK: u32 = (1 << 24) - 1;

/// A list with places that are used again; a token is the place's number and its round.
///
/// A token is never 0 and has 56 bits, so that the holder can put a shard's number above them.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    places: Vec<(u32, Option<T>)>,
    empty: Vec<u32>,
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self {
            places: Vec::new(),
            empty: Vec::new(),
        }
    }

    /// Takes a thing in and names it; `None` if memory is short.
    pub(crate) fn insert(&mut self, thing: T) -> Option<u64> {
        let number = match self.empty.pop() {
            Some(number) => number,
            None => {
                let count = u32::try_from(self.places.len()).ok()?;
                self.places.try_reserve(1).ok()?;
                // So that a removal never allocates.
                self.empty.try_reserve(self.places.len() + 1).ok()?;
                self.places.push((1, None));
                count
            }
        };
        self.places[number as usize].1 = Some(thing);
        Some(self.token(number))
    }

    fn token(&self, number: u32) -> u64 {
        u64::from(self.places[number as usize].0) << NUMBER_BITS | u64::from(number)
    }

    fn place(&mut self, token: u64) -> Option<&mut (u32, Option<T>)> {
        let place = self.places.get_mut(token as u32 as usize)?;
        (u64::from(place.0) == token >> NUMBER_BITS).then_some(place)
    }

    pub(crate) fn get_mut(&mut self, token: u64) -> Option<&mut T> {
        self.place(token)?.1.as_mut()
    }

    #[cfg(test)]
    pub(crate) fn get(&self, token: u64) -> Option<&T> {
        let place = self.places.get(token as u32 as usize)?;
        place.1.as_ref()
    }

    pub(crate) fn remove(&mut self, token: u64) -> Option<T> {
        let place = self.place(token)?;
        let thing = place.1.take()?;
        place.0 = ((place.0 + 1) & ROUND_MASK).max(1);
        self.empty.push(token as u32);
        Some(thing)
    }

    #[cfg(test)]
    pub(crate) fn things(&self) -> impl Iterator<Item = &T> {
        self.places.iter().filter_map(|(_, thing)| thing.as_ref())
    }

    /// Every thing there is.
    pub(crate) fn things_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.places
            .iter_mut()
            .filter_map(|(_, thing)| thing.as_mut())
    }

    /// The tokens of all things that `pick` wants.
    pub(crate) fn tokens(&self, pick: impl Fn(&T) -> bool) -> Vec<u64> {
        let wanted = |(_, (_, thing)): &(u32, &(u32, Option<T>))| thing.as_ref().is_some_and(&pick);
        (0..)
            .zip(&self.places)
            .filter(wanted)
            .map(|(number, _)| self.token(number))
            .collect()
    }
}

#[cfg(test)]
#[path = "slab_test.rs"]
mod tests;
