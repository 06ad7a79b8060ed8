import Base
import HTTPClient
import Metrics
import Synchronization

/// A member of a model's request that not every server of its wire format takes, or not for every model.
enum RequestMember: String, CaseIterable, Hashable, Sendable {
    case streamOptions = "stream_options"
    case cacheKey = "prompt_cache_key"
    /// Refused: the limit is sent by its other name.
    case maxTokens = "max_tokens"
    case temperature
    case effort = "reasoning_effort"
    /// Of tools.
    case strict
    case outputConfig = "output_config"
    case thinking
}

/// Which members a worker's requests were refused for, by place and model: nobody is asked that way twice.
package final class RefusedMembers: Sendable {
    /// Places and models beyond this are not kept.
    package static let keptMax = 1_000

    struct Key: Hashable {
        var baseURL: String
        var model: String
    }

    private let kept = Mutex<[Key: Set<RequestMember>]>([:])

    package init() {}

    func known(_ key: Key) -> Set<RequestMember> { kept.withLock { $0[key] ?? [] } }

    func note(_ members: Set<RequestMember>, _ key: Key) {
        kept.withLock { kept in
            guard kept[key] != nil || kept.count < Self.keptMax else { return }
            kept[key, default: []].formUnion(members)
        }
    }
}

/// One request in the forms that its server may want it in: refused for a member that it names, it is written again
/// without.
///
/// What was refused is remembered once the other form was taken: till then the name may stand in the answer for another
/// reason.
struct ModelAsking: Sendable {
    /// Times one request is written again.
    static let rewritesMax = 3

    private let key: RefusedMembers.Key
    private let vendor: String
    private let kept: RefusedMembers
    private let write: @Sendable (Set<RequestMember>) -> HTTPRequest
    private var refused: Set<RequestMember>
    private var rewrites = 0
    private(set) var request: HTTPRequest

    /// `write`: the request without these members.
    init(
        vendor: String, _ key: RefusedMembers.Key, kept: RefusedMembers,
        write: @escaping @Sendable (Set<RequestMember>) -> HTTPRequest
    ) {
        self.vendor = vendor
        self.key = key
        self.kept = kept
        self.write = write
        refused = kept.known(key)
        request = write(refused)
    }

    /// The server refused the request with this answer. True: `request` is another now, and worth a try.
    mutating func rewrite(status: Int, answer: [UInt8]) -> Bool {
        guard status == 400 || status == 422, rewrites < Self.rewritesMax else { return false }
        let text = String(decoding: answer, as: UTF8.self)
        let named = RequestMember.allCases.filter { !refused.contains($0) && text.contains($0.rawValue) }
        let next = write(refused.union(named))
        // What it names was not sent.
        guard next.body != request.body else { return false }
        rewrites += 1
        refused.formUnion(named)
        request = next
        return true
    }

    /// The server took the request.
    func accepted() {
        guard rewrites > 0 else { return }
        let learned = refused.subtracting(kept.known(key))
        kept.note(learned, key)
        for member in learned {
            Counter(
                label: "parley_model_member_refused_total",
                dimensions: [("vendor", vendor), ("model", key.model), ("member", member.rawValue)]
            ).increment()
        }
    }
}
