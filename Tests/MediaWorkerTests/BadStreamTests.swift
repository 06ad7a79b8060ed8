import Agents
import Base
import CallDispatch
import MediaWorker
import Telephony
import TestKit
import Testing

/// Streams that break a rule: closed with a code, and the call beside them does not notice.
@Suite(.serialized) struct BadStreamTests {
    static let talk: AgentDefinition = {
        var definition = AgentDefinition()
        var node = Node(id: "a")
        node.say = "Hello there, this is a long greeting that goes on for quite a while."
        node.expect = .open
        definition.flow = Flow(start: "a", nodes: [node])
        return definition
    }()

    @Test func tokensThatDoNotFitAreRefused() async throws {
        let rig = try await Rig()
        let key = CallKey.sample(1)
        let stale = rig.token(key, lifetime: .seconds(-1))
        let forged = String(rig.token(key).dropLast(4)) + "0000"
        for token in [nil, "", "rubbish", stale, forged, rig.token(key)] {
            let carrier = try await rig.carrier()
            carrier.start(token: token)
            #expect(try await carrier.closeCode() == 1008)
        }
        #expect(rig.worker.station.live.used == 0)
        try await rig.stop()
    }

    @Test func aSecondStreamWithTheSameTokenIsRefused() async throws {
        let rig = try await Rig()
        let (_, token) = rig.plan(1, Self.talk)
        let first = try await rig.carrier()
        first.start(token: token)
        _ = try await first.seen.first(\.firstAudio)
        let second = try await rig.carrier()
        second.start(token: token)
        #expect(try await second.closeCode() == 1008)
        #expect(rig.worker.station.live.used == 1)
        #expect(!first.now.isClosed)
        try await rig.stop()
    }

    @Test func aStreamBeyondTheCapacityIsRefused() async throws {
        let rig = try await Rig(capacity: 1)
        let (_, one) = rig.plan(1, Self.talk)
        let (_, two) = rig.plan(2, Self.talk)
        let first = try await rig.carrier()
        first.start(token: one)
        _ = try await first.seen.first(\.firstAudio)
        let second = try await rig.carrier()
        second.start(token: two)
        #expect(try await second.closeCode() == MediaClose.tryAgainLater.rawValue)
        try await rig.stop()
    }

    @Test(arguments: [
        ("media before start", MediaClose.protocolError), ("two starts", .protocolError),
        ("base64", .malformed),
        ("oversized audio", .tooBig), ("wrong stream", .protocolError), ("not JSON", .malformed),
        ("binary", .binaryRefused), ("flood", .policy),
    ])
    func aBrokenRuleClosesTheSocketWithItsCode(what: String, close: MediaClose) async throws {
        let rig = try await Rig()
        let (_, token) = rig.plan(1, Self.talk)
        let (_, good) = rig.plan(2, Self.talk)
        let neighbour = try await rig.carrier()
        neighbour.start(token: good)
        _ = try await neighbour.seen.first(\.firstAudio)

        let carrier = try await rig.carrier()
        if what != "media before start" { carrier.start(token: token) }
        switch what {
        case "media before start": carrier.media(1)
        case "two starts": carrier.start(token: token)
        case "base64": carrier.send(#"{"event":"media","streamSid":"MZ1","media":{"payload":"*"}}"#)
        case "oversized audio":
            let payload = String(repeating: "AAAA", count: 2000)
            carrier.send(#"{"event":"media","streamSid":"MZ1","media":{"payload":"\#(payload)"}}"#)
        case "wrong stream": carrier.send(#"{"event":"media","streamSid":"MZ2","media":{"payload":"AAAA"}}"#)
        case "not JSON": carrier.send("hello")
        case "binary": carrier.send(binary: [1, 2, 3])
        default: carrier.media(600)
        }
        #expect(try await carrier.closeCode() == close.rawValue, "\(what)")
        #expect(!neighbour.now.isClosed)
        try await rig.stop()
    }
}
