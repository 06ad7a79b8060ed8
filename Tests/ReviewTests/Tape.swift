import Agents
import Base
import Conversation
import Foundation
import Review

/// Records a call in virtual time: a caller with lines and an agent whose voice takes time.
struct Tape {
    private(set) var leg: RecordedCall.Leg
    private var conversation: Conversation
    private var events: [(at: CallTime, input: Dialogue.Input)] = []
    private var voice: (id: Dialogue.UtteranceID, leftMs: Int, heardMs: Int)?
    private var queue: [(id: Dialogue.UtteranceID, ms: Int)] = []
    /// Made and not yet spoken.
    private var prepared: Set<Dialogue.UtteranceID> = []
    private var isPaused = false
    private var voiceAt = CallTime.zero

    static let stepMs = 100
    static let msPerCharacter = 50

    init(_ json: String) throws {
        let definition = try JSONDecoder().decode(AgentDefinition.self, from: Data(json.utf8))
        let start = RecordedCall.Start(
            definition: definition, variables: [:], key: "call", fundedMs: 10_000_000, holdNumber: 0,
            checkpoint: nil)
        leg = RecordedCall.Leg(start: start)
        conversation = start.conversation
        at(0, .mediaStarted(resumed: false))
    }

    var call: RecordedCall { RecordedCall(legs: [leg]) }

    mutating func at(_ ms: Int, _ input: Dialogue.Input) {
        let index = events.firstIndex { $0.at > .milliseconds(ms) } ?? events.endIndex
        events.insert((.milliseconds(ms), input), at: index)
    }

    /// Speech from `ms` for `lasting`, told 60 and 100 ms late; its words come `wordsAfter` its end is told.
    mutating func caller(_ ms: Int, _ text: String, lasting: Int, wordsAfter: Int = 50, isFinal: Bool = true)
    {
        at(ms + 60, .speechStarted(agoMs: 60))
        at(ms + lasting + 100, .speechEnded(agoMs: 100))
        let count = max(1, text.split(separator: " ").count)
        let words = text.split(separator: " ").enumerated().map { index, word in
            Word(
                text: String(word), startMs: ms + lasting * index / count,
                endMs: ms + lasting * (index + 1) / count)
        }
        at(
            ms + lasting + 100 + wordsAfter,
            .transcript(.init(text: text, isFinal: isFinal, words: words)))
    }

    mutating func run(until ms: Int) {
        while let next = [events.first?.at, conversation.deadline, voice == nil || isPaused ? nil : voiceAt]
            .compactMap({ $0 }).min(), next <= .milliseconds(ms)
        {
            if let event = events.first, event.at <= next {
                events.removeFirst()
                feed(event.input, event.at)
            } else if let due = conversation.deadline, due <= next {
                feed(.deadline, due)
            } else {
                playOn(next)
            }
        }
    }

    private mutating func feed(_ input: Dialogue.Input, _ now: CallTime) {
        leg.entries.append(.init(at: now, input: input))
        for effect in conversation.handle(input, at: now) {
            switch effect {
            case .prepare(let id, let text):
                prepared.insert(id)
                make(id, text, at: now)
            case .speak(let id, let text):
                queue.append((id, text.count * Self.msPerCharacter))
                if prepared.remove(id) == nil { make(id, text, at: now) }
            case .pausePlayout: isPaused = true
            case .resumePlayout:
                isPaused = false
                voiceAt = now + .milliseconds(Self.stepMs)
            case .clearPlayout:
                (voice, queue, isPaused) = (nil, [], false)
            default: break
            }
        }
        if voice == nil, !queue.isEmpty {
            let next = queue.removeFirst()
            voice = (next.id, next.ms, 0)
            voiceAt = now + .milliseconds(Self.stepMs + 80)
        }
    }

    private mutating func make(_ id: Dialogue.UtteranceID, _ text: String, at now: CallTime) {
        at(
            now.milliseconds + 80,
            .synthesised(id, milliseconds: text.count * Self.msPerCharacter, isLast: true))
    }

    private mutating func playOn(_ now: CallTime) {
        guard var current = voice else { return }
        let stepMs = min(Self.stepMs, current.leftMs)
        current.leftMs -= stepMs
        current.heardMs += stepMs
        voice = current.leftMs > 0 ? current : nil
        voiceAt = now + .milliseconds(Self.stepMs)
        feed(.heard(current.id, milliseconds: current.heardMs, isFinished: current.leftMs == 0), now)
    }
}

/// Asks two open questions, then says goodbye.
let desk = """
    {"flow": {"start": "why", "nodes": [
      {"id": "why", "say": "How can I help you today?", "expect": {"kind": "open"}, "save": "why",
       "edges": [{"when": "matched", "to": "when"}]},
      {"id": "when", "say": "I see, and since when is that so, if I may ask you that now?", "expect": {"kind": "open"},
       "edges": [{"when": "matched", "to": "bye"}]},
      {"id": "bye", "say": "Thank you <b>& goodbye</b>.", "end": true}]}}
    """
