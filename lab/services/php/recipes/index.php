<?php
// Recipes and their pictures.
error_reporting(E_ALL);
require __DIR__ . '/src/Store.php';
require __DIR__ . '/src/Card.php';

header('Content-Type: application/json');
$path = strtok($_SERVER['REQUEST_URI'], '?');

try {
    if ($path === '/ping') {
        echo '"pong"';
    } elseif (preg_match('#^/recipes/(\d+)$#', $path, $m)) {
        $recipe = Store::one('select id, title, minutes, steps from recipes where id = ?', [$m[1]]);
        if (!$recipe) {
            http_response_code(404);
            echo '{"error":"recipe not found"}';
        } else {
            echo json_encode((new Card($recipe))->asArray());
        }
    } elseif ($path === '/recipes' && $_SERVER['REQUEST_METHOD'] === 'GET') {
        echo json_encode(Store::all('select id, title, minutes from recipes where title like ? limit 20', ['%' . ($_GET['q'] ?? '') . '%']));
    } elseif (preg_match('#^/recipes/(\d+)/photos$#', $path, $m)) {
        $body = json_decode(file_get_contents('php://input'), true);
        $picture = str_repeat($body['pixel'], $body['kilobytes'] * 1024);
        Store::run('insert into photos (recipe_id, data) values (?, ?)', [$m[1], $picture]);
        http_response_code(201);
        echo json_encode(['bytes' => strlen($picture)]);
    } elseif (preg_match('#^/cooks/(\d+)/favourites$#', $path, $m)) {
        echo json_encode(Store::all('select recipe_id from favourites where cook_id = ? limit 30', [$m[1]]));
    } else {
        http_response_code(404);
        echo '{"error":"no route"}';
    }
} catch (Throwable $e) {
    error_log(sprintf('Uncaught in %s %s: %s', $_SERVER['REQUEST_METHOD'], $path, $e));
    http_response_code(500);
    echo '{"error":"kitchen closed"}';
}
