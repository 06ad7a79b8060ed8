import Glibc

/// What an agent's own calls taught about the odds: how often a tool was called beside how often it was expected.
///
/// Only calls whose act was seen count: a cheap model asked alone may have missed one. May be switched off by not
/// feeding it.
package struct RoutingOutcomes: Sendable, Hashable {
    /// Calls that the shipped odds are worth; an agent's own weigh as much once there are as many.
    static let prior = 20.0
    /// Older calls fade, so that what is learned follows a change within some hundreds of calls.
    static let fading = 0.998
    /// Odds are moved by at most a factor e to this.
    static let shiftMax = 3.0

    private struct Count: Sendable, Hashable {
        var expected = 0.0
        var tools = 0.0
        var calls = 0.0
    }

    private var user = Count()
    private var tool = Count()
    /// Hand-overs that a probed model made when a tool was needed, and those it made for nothing.
    private var needed = 0.0
    private var noticed = 0.0
    private var needless = 0.0
    private var falseAlarms = 0.0

    /// Taken for granted until outcomes say otherwise, and worth `rateWeight` probes.
    package static let noticeRate = 0.98
    package static let falseRate = 0.10
    static let rateWeight = 50.0

    package init() {}

    package mutating func note(expected: Double, wasTool: Bool, followsTool: Bool) {
        var count = followsTool ? tool : user
        count.expected = count.expected * Self.fading + expected
        count.tools = count.tools * Self.fading + (wasTool ? 1 : 0)
        count.calls = count.calls * Self.fading + 1
        if followsTool { tool = count } else { user = count }
    }

    package mutating func noteProbe(handedOver: Bool, wasTool: Bool) {
        if wasTool {
            needed += 1
            if handedOver { noticed += 1 }
        } else {
            needless += 1
            if handedOver { falseAlarms += 1 }
        }
    }

    /// To be added to the log odds.
    package func shift(followsTool: Bool) -> Double {
        let count = followsTool ? tool : user
        let half = Self.prior / 2
        let was = log((count.tools + half) / (count.calls - count.tools + half))
        let said = log((count.expected + half) / (count.calls - count.expected + half))
        return max(-Self.shiftMax, min(Self.shiftMax, was - said))
    }

    package var notices: Double { (noticed + Self.noticeRate * Self.rateWeight) / (needed + Self.rateWeight) }
    package var handsOverForNothing: Double {
        (falseAlarms + Self.falseRate * Self.rateWeight) / (needless + Self.rateWeight)
    }
}
