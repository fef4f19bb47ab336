//! Encodes and decodes events: the stored name is the variant's name, the payload its fields.
//! Fields are read directly from the stored text, without a tree between.

use serde::de::{self, DeserializeOwned, DeserializeSeed, EnumAccess, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde::{Deserializer, Serialize};

/// What went wrong with a stored event.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The payload does not fit the event, or no event has this name.
    #[error("reading a stored event")]
    Payload(#[from] serde_json::Error),
    /// The event's type is not an enum of struct variants.
    #[error("event does not serialise as a named object")]
    Shape,
}

/// An event as the log stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The variant's name.
    pub name: String,
    /// Its fields, a JSON object.
    pub payload: String,
}

/// Encodes an event as its name and its payload.
///
/// # Errors
/// [`Error::Shape`] for any other type.
pub fn encode<E: Serialize>(event: &E) -> Result<Encoded, Error> {
    let whole = serde_json::to_string(event)?;
    let inner = whole.strip_prefix("{\"").and_then(|rest| rest.strip_suffix('}'));
    let (name, payload) = inner.and_then(|rest| rest.split_once("\":")).ok_or(Error::Shape)?;
    Ok(Encoded { name: name.to_owned(), payload: payload.to_owned() })
}

/// Decodes the event with this name from its payload.
///
/// # Errors
/// An unknown name, or fields that do not fit.
pub fn decode<E: DeserializeOwned>(name: &str, payload: &str) -> Result<E, Error> {
    Ok(E::deserialize(Named { name, payload })?)
}

struct Named<'a> {
    name: &'a str,
    payload: &'a str,
}

impl<'de> Deserializer<'de> for Named<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'de> EnumAccess<'de> for Named<'de> {
    type Error = serde_json::Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), Self::Error> {
        let name = de::value::StrDeserializer::<serde_json::Error>::new(self.name);
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Named<'de> {
    type Error = serde_json::Error;

    fn unit_variant(self) -> Result<(), Self::Error> {
        Err(de::Error::custom("an event without a payload object"))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, Self::Error> {
        let mut json = serde_json::Deserializer::from_str(self.payload);
        let value = seed.deserialize(&mut json)?;
        json.end()?;
        Ok(value)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("an event without named fields"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let mut json = serde_json::Deserializer::from_str(self.payload);
        let value = json.deserialize_map(visitor)?;
        json.end()?;
        Ok(value)
    }
}
