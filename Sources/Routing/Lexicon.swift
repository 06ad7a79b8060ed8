/// Kinds of general words that tell acts apart whatever the service is about; no name of a tool or service.
package enum Lexicon {
    package enum Kind: Int, CaseIterable, Sendable {
        case yes, no, thanks, goodbye, greeting, enough, change, want, seek, act, question, auxiliary
        case day, time, number, person, refer, sorry, success, failure, offer, confirm, permission, more, wait
        case negation, know
    }

    private static let words: [Kind: String] = [
        .yes: """
        yes yeah yep yup sure ok okay okey alright correct right absolutely definitely perfect fine exactly agreed great \
        good indeed certainly sounds works yea course awesome excellent cool please
        """,
        .no: "no nope nah not dont none neither never isnt wrong incorrect",
        .thanks: "thanks thank thankyou thx appreciate appreciated grateful cheers",
        .goodbye: "bye goodbye goodnight later farewell wonderful day",
        .greeting: "hi hello hey greetings morning afternoon evening",
        .enough: "all everything nothing done enough thats thatll finished now need help",
        .change:
            "other another different else instead change actually alternative alternatives more any rather also",
        .want: "want wanted would like id need needed wish prefer looking could can please help lets let ill",
        .seek: """
        find search look looking show get check list see browse tell give hear suggest recommend available
        """,
        .act: """
        book reserve buy purchase order schedule make send transfer cancel add play rent pay start set create update \
        move remove delete share return put call apply submit change confirm take go reservation booking ticket tickets
        """,
        .question: "what whats which when where wheres who whose how why whens",
        .auxiliary: "is are do does did can could will would has have was were should may am isnt doesnt",
        .day: """
        monday tuesday wednesday thursday friday saturday sunday today tomorrow tonight yesterday week weekend month \
        january february march april may june july august september october november december date day next
        """,
        .time:
            "am pm oclock noon midnight morning afternoon evening night hour hours minutes half quarter time",
        .number: """
        one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand \
        single couple few
        """,
        .person: "i im my me mine we our us myself ive",
        .refer: "it that this one them they those these there",
        .sorry: "sorry unfortunately apologies apologize afraid regret",
        .success:
            "successfully successful success booked reserved confirmed scheduled done completed made set added",
        .failure: """
        fail failed failure unable cannot cant couldnt unavailable impossible error wasnt didnt unsuccessful invalid none
        """,
        .offer:
            "found there here have options option results result recommend about available matches suggest",
        .confirm: "confirm correct right verify check sure okay details following",
        .permission: "shall should want proceed interested ahead",
        .more: "anything else further more assist other",
        .wait: "moment wait second hold minute checking sec",
        .negation: "not dont doesnt didnt wont wouldnt cant couldnt isnt wasnt no never",
        .know: "know information info details about address phone number price cost much rating many name",
    ]

    private static let table: [UInt32: UInt32] = {
        var table: [UInt32: UInt32] = [:]
        for (kind, list) in words {
            for word in list.split(separator: " ") {
                table[WordHash.of(String(word)), default: 0] |= 1 << UInt32(kind.rawValue)
            }
        }
        return table
    }()

    /// One bit per `Kind` that holds the word.
    static func kinds(of word: UInt32) -> UInt32 { table[word] ?? 0 }

    /// Too common to say that two texts speak of the same thing.
    private static let common: Set<UInt32> = Set(
        """
        a an the of to in on at for by and or with from is are be it that this i you my your me do does did can could \
        will would like please want need have has any what which how there one no yes not if so as user the name given
        """.split(separator: " ").map { WordHash.of(String($0)) })

    static func isCommon(_ word: UInt32) -> Bool { common.contains(word) }

    /// In a turn that denies, these say that the agent got it wrong: "I said", "that's wrong", "not right".
    static let speaker = WordHash.of("i")
    static let sayings: Set<UInt32> = Set(["said", "asked", "meant", "told"].map { WordHash.of($0) })
    static let faults: Set<UInt32> = Set(["wrong", "incorrect", "mistake"].map { WordHash.of($0) })
    static let rights: Set<UInt32> = Set(["right", "correct"].map { WordHash.of($0) })

    /// What a tool does, by the first verb of its name: looks something up, or changes something.
    static let lookups: Set<UInt32> = Set(
        """
        find search get check list query lookup look show browse status read fetch calculate compute view see request \
        retrieve
        """.split(separator: " ").map { WordHash.of(String($0)) })
    static let changes: Set<UInt32> = Set(
        """
        book reserve buy purchase order transfer play add create cancel update modify send schedule rent make set delete \
        share return exchange pay submit start stop turn remove place open close
        """.split(separator: " ").map { WordHash.of(String($0)) })
}

/// Words as 32-bit numbers (FNV-1a), so that comparing and counting them allocates nothing.
package enum WordHash {
    static let seed: UInt32 = 0x811C_9DC5
    static func step(_ hash: UInt32, _ byte: UInt8) -> UInt32 { (hash ^ UInt32(byte)) &* 0x0100_0193 }
    package static func of(_ word: String) -> UInt32 { word.utf8.reduce(seed, step) }
    static let number = of("#")

    /// Of several numbers in their order.
    static func of(_ parts: UInt32...) -> UInt32 {
        parts.reduce(seed) { hash, part in
            let mixed = (hash ^ part) &* 0x9E37_79B1
            return mixed ^ mixed >> 15
        }
    }

    static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(seed, step) }
}
