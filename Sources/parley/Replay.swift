import ArgumentParser
import Base
import CallDispatch
import Conversation
import Foundation
import HTTPClient
import Logging
import MediaWorker
import Review
import Turns
import Yams

/// Runs a call's journal through the conversation again: every input, and what was decided on it.
struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show every input and decision of a call, or what another policy would have decided.",
        discussion: """
            CALL is a call's id, fetched with --url and --key, or a journal file.

            --policy FILE (YAML or JSON) holds members of an agent's `turns`, and of `endpointing`, `barge_in` and
            `reply`: {endpointing_ms: 500, barge_in: {pause_ms: 160}}. The comparison is open loop: each of the caller's
            turns is tried apart over the recorded inputs. Nobody can know what would have been said after a decision
            that was not taken, so differences do not add up from turn to turn.
            """)

    @Argument(help: "A call's id or a journal file.") var call: String?
    @OptionGroup var remote: RemoteOptions
    @Flag(help: "One JSON object a line instead of text.") var json = false

    /// Progress of playout and synthesis arrives many times a second and decides nothing mostly.
    @Flag(help: "Show inputs that led to nothing too.") var all = false

    @Option(help: "Compare with the turn settings of this file.") var policy: String?
    @Option(help: "Compare this many of the tenant's newest calls (1...\(Replay.lastMax)).") var last: Int?

    static let lastMax = 1000

    func validate() throws {
        guard (call == nil) != (last == nil) else { throw ValidationError("give either CALL or --last") }
        guard let last else { return }
        guard policy != nil else { throw ValidationError("--last needs --policy") }
        guard (1...Self.lastMax).contains(last) else {
            throw ValidationError("--last must be 1 to \(Self.lastMax)")
        }
    }

    func run() async throws {
        let changes = try policy.map(Self.changes)
        if let call, FileManager.default.fileExists(atPath: call) {
            return try show(Self.journal(call, try GivenFile.read(call)), changes)
        }
        let http = HTTPClient(
            addresses: .anyAddress, logger: LogSetup.bootstrap(verbose: false, level: .error))
        let api = try remote.api(http)
        if let call {
            guard ID<Call>(call) != nil else {
                throw ValidationError("\(call) is neither a file nor a call's id")
            }
            guard let journal = try await api.file("/v1/calls/\(call)/journal") else {
                throw DemoFailure("there is no journal of \(call)")
            }
            try show(Self.journal(call, journal), changes)
        } else if let changes {
            try await compareLast(api, changes)
        }
        await http.close()
    }

    /// `name`: the file or the call's id, for the message.
    private static func journal(_ name: String, _ data: Data) throws -> JournalReading {
        do throws(JournalReading.Unreadable) { return try JournalReading(data) } catch {
            throw DemoFailure("\(name): \(error.description)")
        }
    }

    /// YAML, of which JSON is a part.
    private static func changes(_ path: String) throws -> PolicyChanges {
        let text = try GivenFile.text(path)
        do {
            return try PolicyChanges(YAMLDecoder().decode(JSON.self, from: text))
        } catch let error as PolicyChanges.Problem {
            throw DemoFailure("\(path): \(error)")
        } catch {
            throw DemoFailure("\(path) is neither YAML nor JSON: \(error)")
        }
    }

    private func show(_ journal: JournalReading, _ changes: PolicyChanges?) throws {
        if let changes {
            let comparison = Comparison(
                WhatIf(journal.call, changes), drifts: journal.call.legs.contains { $0.driftsAt != nil })
            print(json ? comparison.json : comparison.text)
        } else {
            for (header, leg) in zip(journal.headers, journal.call.legs) { replay(leg, header) }
        }
    }

    private func compareLast(_ api: APIClient, _ changes: PolicyChanges) async throws {
        var calls: [CallComparison.Row] = []
        var without = 0
        for id in try await newest(api) {
            guard let data = try await api.file("/v1/calls/\(id)/journal") else {
                without += 1
                continue
            }
            let call = try Self.journal(id, data).call
            calls.append(
                .init(
                    id: id, totals: WhatIf(call, changes).totals,
                    drifts: call.legs.contains { $0.driftsAt != nil }))
        }
        let comparison = CallComparison(calls: calls, without: without)
        print(json ? comparison.json : comparison.text)
    }

    /// Ids of the tenant's newest calls, newest first; at most `last`.
    private func newest(_ api: APIClient) async throws -> [String] {
        let wanted = last ?? 0
        var ids: [String] = []
        var cursor: String?
        repeat {
            let page = try await api.get(
                "/v1/calls?limit=\(min(wanted - ids.count, 100))" + (cursor.map { "&cursor=\($0)" } ?? ""))
            ids += (page["data"]?.array ?? []).compactMap { $0["id"]?.string }
            cursor = page["next_cursor"]?.string
        } while cursor != nil && ids.count < wanted
        return Array(ids.prefix(wanted))
    }

    private func replay(_ leg: RecordedCall.Leg, _ header: JournalLine.Header) {
        if !json {
            print(
                "\(header.call) epoch \(header.epoch), \(header.direction.rawValue), \(header.agent) version \(header.agentVersion)"
            )
        }
        var machine = leg.start.conversation
        let pauseMs = Conversation.policy(leg.start.definition).bargeIn.pauseMs
        for entry in leg.entries { step(&machine, entry, pauseMs) }
    }

    private func step(_ machine: inout Conversation, _ entry: RecordedCall.Entry, _ pauseMs: Int) {
        let (effects, told) = machine.decide(entry.input, at: entry.at)
        let reasons = Cause(input: entry.input, told: told, pauseMs: pauseMs)
            .decisions(at: entry.at.milliseconds).map { "\($0.what): \($0.why)" }
        guard all || !effects.isEmpty || !reasons.isEmpty || isWorthALine(entry.input) else { return }
        if json {
            let object: JSON = [
                "t_ms": .int(Int64(entry.at.milliseconds)), "in": .string(Ladder.text(of: entry.input)),
                "masked": .bool(entry.isMasked),
                "why": .array(reasons.map(JSON.string)),
                "out": .array(effects.map { .string(Ladder.text(of: $0)) }),
            ]
            print(object.text)
        } else {
            print(Ladder.line(entry.input, at: entry.at) + (entry.isMasked ? "   (masked)" : ""))
            for reason in reasons { print(Ladder.line(reason: reason, at: entry.at)) }
            for effect in effects { print(Ladder.line(effect, at: entry.at)) }
        }
    }

    private func isWorthALine(_ input: Dialogue.Input) -> Bool {
        switch input {
        case .synthesised, .heard, .deadline: false
        default: true
        }
    }
}
