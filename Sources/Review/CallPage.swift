import Conversation

/// One call as an HTML page that needs nothing else: no network, no other file. Pure.
package struct CallPage: Sendable {
    package var sheet: CallSheet
    /// nil without a journal.
    package var story: CallStory?
    /// nil without a recording.
    package var waveform: Waveform?
    /// The recording as base64 of a WAV; nil without one, or when it is too long to be part of a page.
    package var sound: String?
    /// What could not be had, for people.
    package var missing: [String]

    package init(
        sheet: CallSheet, story: CallStory?, waveform: Waveform?, sound: String?, missing: [String]
    ) {
        self.sheet = sheet
        self.story = story
        self.waveform = waveform
        self.sound = sound
        self.missing = missing
    }

    package var html: String {
        var page = Markup()
        page.own("<!DOCTYPE html>\n")
        page.element("html", [("lang", "en")]) { html in
            html.element("head") { self.head(&$0) }
            html.element("body") { body in
                header(&body)
                for line in missing { body.element("p", [("class", "missing")], line) }
                timeline(&body)
                if let story { turns(story, &body) }
                costs(&body)
                if let story { decisions(story, &body) }
                if sound != nil { body.element("script") { $0.own(PageStyle.script) } }
            }
        }
        return page.text + "\n"
    }

    private func head(_ head: inout Markup) {
        head.empty("meta", [("charset", "utf-8")])
        head.empty("meta", [("name", "viewport"), ("content", "width=device-width, initial-scale=1")])
        // Nothing is fetched, whatever the words of a call try.
        head.empty(
            "meta",
            [
                ("http-equiv", "Content-Security-Policy"),
                (
                    "content",
                    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; media-src data:"
                ),
            ])
        head.element("title", "Call \(sheet.id)")
        head.element("style") { $0.own(PageStyle.css) }
    }

    private func header(_ body: inout Markup) {
        body.element("header") { header in
            header.element("h1") {
                $0.words("Call ")
                $0.element("code", sheet.id)
            }
            header.element("dl") { list in
                for fact in sheet.facts + figures {
                    list.element("div") {
                        $0.element("dt", fact[0])
                        $0.element("dd", fact[1])
                    }
                }
            }
        }
    }

    /// What the recording itself tells of how the call went.
    private var figures: [[String]] {
        guard let story else { return [] }
        let heard = story.turns.compactMap { $0.fact.stages?.heardMs }.sorted()
        let resumes = story.decisions.count { $0.kind == .resume }
        let interruptions = story.turns.count { $0.fact.wasInterrupted }
        var figures = [["Turns", "\(story.turns.count)"]]
        if !heard.isEmpty { figures.append(["Answer heard after, median", "\(heard[heard.count / 2]) ms"]) }
        return figures + [
            ["Interruptions", "\(interruptions)"], ["Pauses that were none", "\(resumes)"],
        ]
    }

    private func timeline(_ body: inout Markup) {
        guard story != nil || waveform != nil else { return }
        let score = Score(story: story ?? CallStory(RecordedCall(legs: [])), waveform: waveform)
        body.element("section") { section in
            section.element("h2", "Time line")
            if let sound {
                section.element(
                    "audio",
                    [
                        ("id", "sound"), ("controls", ""), ("preload", "auto"),
                        ("data-start", "\(story?.recordingMs ?? 0)"),
                        ("src", "data:audio/wav;base64," + sound),
                    ], "")
            }
            section.element("p", [("class", "legend")]) { legend in
                legend.element("span", [("class", "caller")], "caller")
                legend.element("span", [("class", "agent")], "agent, as the caller heard it")
                if sound != nil { legend.words("Click a turn or a word to hear it.") }
                if let legs = story?.legs, legs.count > 1 {
                    legend.words("Led by \(legs.count) workers: times after a takeover are near, not exact.")
                }
            }
            score.draw(&section)
        }
    }

    private func turns(_ story: CallStory, _ body: inout Markup) {
        body.element("section") { section in
            section.element("h2", "Words")
            TurnList(story: story).draw(&section)
        }
    }

    private func costs(_ body: inout Markup) {
        guard !sheet.costs.isEmpty else { return }
        body.element("section") { section in
            section.element("h2", "Cost")
            section.element("table") { table in
                Self.row(["component", "source", "quantity", "billed", "price", "amount"], "th", &table)
                for line in sheet.costs {
                    Self.row(
                        [line.component, line.source, line.quantity, line.billed, line.price, line.amount],
                        "td", &table)
                }
                if let total = sheet.total { Self.row(["", "", "", "", "total", total], "th", &table) }
            }
        }
    }

    private func decisions(_ story: CallStory, _ body: inout Markup) {
        let notes = story.decisions.filter { $0.kind == .note }
        body.element("section") { section in
            section.element("h2", "Notes")
            if notes.isEmpty { section.element("p", "None: nothing went wrong.") }
            Self.table(notes, &section)
        }
        body.element("section") { section in
            section.element("h2", "Decisions")
            Self.table(story.decisions.filter { $0.kind != .note }, &section)
        }
    }

    private static func table(_ decisions: [CallStory.Decision], _ section: inout Markup) {
        guard !decisions.isEmpty else { return }
        section.element("table", [("class", "decisions")]) { table in
            row(["time", "decision", "reason"], "th", &table)
            for decision in decisions {
                table.element("tr", [("class", decision.kind.rawValue)]) { row in
                    row.element("td") {
                        $0.element(
                            "button", [("type", "button"), ("data-play", "\(max(0, decision.atMs - 1500))")],
                            Clock.text(decision.atMs))
                    }
                    row.element("td", decision.what)
                    row.element("td", decision.why)
                }
            }
        }
    }

    private static func row(_ cells: [String], _ kind: String, _ table: inout Markup) {
        table.element("tr") { row in for cell in cells { row.element(kind, cell) } }
    }
}
