/// One recognised or spoken word with its place in the audio, milliseconds from the start of the utterance or call.
package struct Word: Hashable, Sendable, Codable {
    package var text: String
    package var startMs: Int
    package var endMs: Int
    package init(text: String, startMs: Int, endMs: Int) {
        self.text = text
        self.startMs = startMs
        self.endMs = endMs
    }
}

/// What the agent's question asks for: it sets how long to wait and what the recogniser listens for.
package enum Expectation: Hashable, Sendable {
    case open
    case yesNo
    /// One of these phrases, lower case.
    case choice([String])
    /// Between `min` and `max` digits, spoken or pressed.
    case digits(min: Int, max: Int)
    /// A telephone number, spoken or pressed.
    case phone
    /// Letters one by one: a name, a booking code.
    case spelling
    /// A postal address.
    case address
    case email
    /// A sum of money.
    case amount
    /// A day: weekday, "tomorrow", or month and day.
    case date
    /// A person's name; `known` lists names to listen for, lower case, when the flow has such a list.
    case name(known: [String])

    /// Read out piece by piece, with pauses that end nothing.
    package var isDictated: Bool {
        switch self {
        case .digits, .phone, .spelling, .address, .email: true
        case .open, .yesNo, .choice, .date, .amount, .name: false
        }
    }
}

/// How much of an answer the caller's words hold so far; the endpointer waits accordingly.
package enum Fullness: Int, Hashable, Sendable, Comparable {
    /// Nothing of it was recognised.
    case none
    /// Begun; more is owed.
    case part
    /// A valid answer that may go on.
    case enough
    /// Nothing more can come.
    case full
    package static func < (a: Fullness, b: Fullness) -> Bool { a.rawValue < b.rawValue }
}

/// Measured consumption of one component, in its base unit.
package struct Usage: Hashable, Sendable, Codable {
    package enum Component: String, Hashable, Sendable, Codable, CaseIterable {
        case telephony, stt, llm, tts, platform
    }
    package enum Unit: String, Hashable, Sendable, Codable {
        case milliseconds, characters
        /// Each token of a prompt is one of these: read anew, read from the vendor's cache, or read and written there.
        case inputTokens, cachedTokens, cacheWriteTokens
        case outputTokens
    }
    /// The source of what works without a vendor: it costs nothing unless a rate says so.
    package static let offline = "offline"

    package var component: Component
    /// Who delivered it, and which of its products: `offline`, `openai/gpt-6-luna`.
    package var source: String
    package var unit: Unit
    /// Never negative.
    package var quantity: Int64
    package init(component: Component, source: String, unit: Unit, quantity: Int64) {
        self.component = component
        self.source = source
        self.unit = unit
        self.quantity = quantity
    }
}
