import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.iceberg.MetadataUpdate;
import org.apache.iceberg.MetadataUpdateParser;
import org.apache.iceberg.PartitionSpec;
import org.apache.iceberg.PartitionSpecParser;
import org.apache.iceberg.Schema;
import org.apache.iceberg.SchemaParser;
import org.apache.iceberg.SortOrder;
import org.apache.iceberg.SortOrderParser;
import org.apache.iceberg.TableMetadata;
import org.apache.iceberg.TableMetadataParser;
import org.apache.iceberg.UpdateRequirement;
import org.apache.iceberg.UpdateRequirementParser;
import org.apache.iceberg.view.ViewMetadata;
import org.apache.iceberg.view.ViewMetadataParser;

/**
 * What Iceberg's own library makes of metadata updates: JSON lines in, JSON lines out.
 *
 * <p>A question has an {@code operation} (table, create, new, view, requirements, parse-table, parse-view) and what
 * it needs; an answer has {@code document} when the library accepts and {@code error} and {@code message} when not.
 */
public class MetadataOracle {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  public static void main(String[] arguments) throws Exception {
    BufferedReader questions =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream answers = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line = questions.readLine(); line != null; line = questions.readLine()) {
      ObjectNode answer = MAPPER.createObjectNode();
      try {
        String document = answer(MAPPER.readTree(line));
        answer.set("document", MAPPER.readTree(document));
      } catch (Exception e) {
        answer.put("error", e.getClass().getSimpleName());
        answer.put("message", String.valueOf(e.getMessage()));
      }
      answers.println(MAPPER.writeValueAsString(answer));
    }
    answers.flush();
  }

  private static String answer(JsonNode question) {
    String operation = question.get("operation").asText();
    switch (operation) {
      case "table":
        TableMetadata.Builder table = TableMetadata.buildFrom(table(question));
        updates(question).forEach(update -> update.applyTo(table));
        return TableMetadataParser.toJson(table.build());
      case "create":
        return create(question);
      case "new":
        return TableMetadataParser.toJson(newTable(question));
      case "view":
        return view(question);
      case "requirements":
        TableMetadata base = table(question);
        for (JsonNode item : question.get("requirements")) {
          requirement(item).validate(base);
        }
        return "{}";
      case "parse-table":
        return TableMetadataParser.toJson(table(question));
      case "parse-view":
        return ViewMetadataParser.toJson(ViewMetadataParser.fromJson(question.get("base")));
      default:
        throw new IllegalStateException("Unknown operation: " + operation);
    }
  }

  private static String view(JsonNode question) {
    ViewMetadata base = ViewMetadataParser.fromJson(question.get("base"));
    ViewMetadata.Builder builder = ViewMetadata.buildFrom(base);
    updates(question).forEach(update -> update.applyTo(builder));
    ViewMetadata built = builder.build();
    // the library's catalogs commit nothing then
    return ViewMetadataParser.toJson(built.changes().isEmpty() ? base : built);
  }

  private static TableMetadata table(JsonNode question) {
    JsonNode location = question.get("location");
    return TableMetadataParser.fromJson(location == null ? null : location.asText(), question.get("base"));
  }

  private static String create(JsonNode question) {
    List<MetadataUpdate> updates = updates(question);
    int formatVersion =
        updates.stream()
            .filter(MetadataUpdate.UpgradeFormatVersion.class::isInstance)
            .map(update -> ((MetadataUpdate.UpgradeFormatVersion) update).formatVersion())
            .findFirst()
            .orElse(2);
    TableMetadata.Builder builder = TableMetadata.buildFromEmpty(formatVersion);
    updates.forEach(update -> update.applyTo(builder));
    return TableMetadataParser.toJson(builder.build());
  }

  private static TableMetadata newTable(JsonNode question) {
    Schema schema = SchemaParser.fromJson(question.get("schema"));
    PartitionSpec spec =
        question.has("spec")
            ? PartitionSpecParser.fromJson(schema, question.get("spec"))
            : PartitionSpec.unpartitioned();
    SortOrder order =
        question.has("order") ? SortOrderParser.fromJson(schema, question.get("order")) : SortOrder.unsorted();
    Map<String, String> properties = new HashMap<>();
    question.get("properties").fields().forEachRemaining(e -> properties.put(e.getKey(), e.getValue().asText()));
    return TableMetadata.newTableMetadata(
        schema, spec, order, question.get("table-location").asText(), properties);
  }

  private static List<MetadataUpdate> updates(JsonNode question) {
    List<MetadataUpdate> updates = new ArrayList<>();
    question.get("updates").forEach(item -> updates.add(MetadataUpdateParser.fromJson(item)));
    return updates;
  }

  private static UpdateRequirement requirement(JsonNode item) {
    return UpdateRequirementParser.fromJson(item.toString());
  }
}
