/* Kafka's own Java code, asked line by line: java_side.py starts it.
 *
 *     partition KEY COUNT               where the Java client puts a key (hex)
 *     serialize TYPE TEXT               what Kafka's serializer for Short, Integer ... writes (hex)
 *     allow|deny SERVERS USER OPERATION TOPIC   an ACL on a topic
 *     forget SERVERS TOPIC                      remove all of them
 *     lead SERVERS TOPIC                        let the preferred leaders lead (an election)
 *
 * Answers one line each; one that begins with "!" is an error.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.resource.*;
import org.apache.kafka.common.serialization.*;

public class JavaSide {
    static final HexFormat HEX = HexFormat.of();
    static final Map<String, Admin> ADMINS = new HashMap<>();

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        PrintStream out = new PrintStream(System.out, false, "UTF-8");
        String line;

        System.setOut(System.err);      // for Kafka's own log
        while ((line = in.readLine()) != null) {
            try {
                out.println(answer(line.split(" ", -1)));
            } catch (Exception e) {
                out.println("! " + e);
            }
            if (!in.ready())
                out.flush();
        }
        System.exit(0);
    }

    static String answer(String[] words) throws Exception {
        switch (words[0]) {
        case "partition":
            return "" + BuiltInPartitioner.partitionForKey(HEX.parseHex(words[1]),
                                                           Integer.parseInt(words[2]));
        case "serialize":
            return HEX.formatHex(serialize(words[1], words[2]));
        case "allow":
        case "deny":
            return restrict(admin(words[1]), words[0], words[2], words[3], words[4]);
        case "forget":
            admin(words[1]).deleteAcls(Set.of(new AclBindingFilter(
                new ResourcePatternFilter(ResourceType.TOPIC, words[2], PatternType.LITERAL),
                AccessControlEntryFilter.ANY))).all().get();
            return "done";
        case "lead":
            return lead(admin(words[1]), words[2]);
        default:
            throw new IllegalArgumentException(words[0]);
        }
    }

    static byte[] serialize(String type, String text) {
        switch (type) {
        case "short":
            return new ShortSerializer().serialize("", Short.valueOf(text));
        case "integer":
            return new IntegerSerializer().serialize("", Integer.valueOf(text));
        case "long":
            return new LongSerializer().serialize("", Long.valueOf(text));
        case "float":
            return new FloatSerializer().serialize("", Float.valueOf(text));
        case "double":
            return new DoubleSerializer().serialize("", Double.valueOf(text));
        case "uuid":
            return new UUIDSerializer().serialize("", UUID.fromString(text));
        case "string":
            return new StringSerializer().serialize("", text);
        default:
            throw new IllegalArgumentException(type);
        }
    }

    static Admin admin(String servers) {
        return ADMINS.computeIfAbsent(servers, s -> Admin.create(Map.of("bootstrap.servers", s)));
    }

    static String restrict(Admin admin, String way, String user, String operation, String topic)
            throws Exception {
        admin.createAcls(List.of(new AclBinding(
            new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
            new AccessControlEntry("User:" + user, "*", AclOperation.fromString(operation),
                                   AclPermissionType.fromString(way))))).all().get();
        return "done";
    }

    static String lead(Admin admin, String topic) throws Exception {
        int count = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic)
            .partitions().size();
        Set<TopicPartition> all = new HashSet<>();

        for (int i = 0; i < count; i++)
            all.add(new TopicPartition(topic, i));
        for (var result : admin.electLeaders(ElectionType.PREFERRED, all).partitions().get()
                .values())
            if (result.isPresent() && !(result.get() instanceof ElectionNotNeededException))
                throw new Exception(result.get());
        return "done";
    }
}
