// Keys of the language that belong to components not supported yet. A component that gets its records
// takes its names out of here.
#include "task/schema.h"

namespace shoestring::task {
namespace {

constexpr std::string_view kOtherNames =
    " "
    "activation_function active add_pooling_layer afn alpha_pattern apply_GS "
    "attention_dropout attention_embedding_size attention_every_k attention_num_heads "
    "attention_probs_dropout_prob attention_window attn_pdrop attn_type audio_file_length_limit_in_s "
    "background_class bad_words_ids base_learning_rate beam_length_penalty "
    "beam_width begin_suppress_tokens beta1 beta2 bi_data bias_type bidirectional "
    "block_size bn_epsilon bn_momentum bn_virtual_bs "
    "bnb_4bit_compute_dtype bnb_4bit_quant_type bnb_4bit_use_double_quant boft_block_size boft_dropout "
    "boft_n_butterfly_factor bos_token_id cell_type clamp_len classifier_dropout "
    "classifier_dropout_prob coft compute_idf "
    "cpu_resources_per_trial d_conv d_ff d_inner d_kv d_model d_state "
    "delta_t dilation_rate dim diversity_penalty do_sample dpo_beta "
    "dpo_label_smoothing dpo_loss_type dropout_rate early_stopping embd_pdrop embed_input_feature_name "
    "encoder_repetition_penalty encoding_size end_n_top entity_1 entity_2 entmax_alpha "
    "entmax_mode eos_token_id epsilon epsilon_cutoff eta eta_cutoff eva_config eval_split executor "
    "expand_factor exponential_decay_length_penalty factor fan_in_fan_out fc_residual feed_forward_proj "
    "feedforward_modules ff_activation ffn_dim ffn_size filter_size force_words_ids "
    "forced_bos_token_id forced_decoder_ids forced_eos_token_id gamma goal gpu_resources_per_trial "
    "gradient_checkpointing grpo_beta grpo_epsilon grpo_num_generations guidance_scale "
    "hidden_act hidden_dim hidden_dropout_prob hidden_size history_size horizon hyper_hidden_size "
    "index_name "
    "init_ia3_weights "
    "init_lora_weights init_r initializer_factor initializer_range "
    "inner_group_num intermediate_size k kto_beta kubernetes_namespace latent_dim "
    "layer_norm_eps layer_norm_epsilon layer_replication layer_size length_penalty "
    "line_search_fn llm_int8_has_fp16_weight llm_int8_threshold loftq_config loraplus_lr_ratio "
    "main_sequence_feature max_concurrent_trials max_df max_eval max_iter max_length "
    "max_new_tokens max_position_embeddings max_relative_positions max_sequence_length max_time "
    "mem_len merge_adapter_into_base_model metric min_df min_length min_new_tokens "
    "model_name module_dropout modules_to_save n_ctx n_embd "
    "n_estimators n_frequency n_head n_heads n_inner n_layer n_layers n_positions neftune_noise_alpha "
    "ngram_range ngram_size no_repeat_ngram_size norm_rel_ebd nu num_attention_heads num_beam_groups "
    "num_beams num_blocks num_decoder_layers num_fft_points "
    "num_filter_bands num_filters num_heads num_hidden_groups "
    "num_hidden_layers num_latents num_levels num_perturbation_steps num_rec_layers "
    "num_samples num_self_attention_layers num_shared_blocks num_stacked_layers num_stacks num_stages "
    "num_steps num_total_blocks num_vectors oft_block_size orpo_beta orth_reg_weight "
    "output_feature packing packing_max_sequences_per_pack pad_token_id "
    "padding_symbol padding_value parameters patch_stride penalty_alpha "
    "perturbation_strength "
    "pool_size pool_strides pooler_dropout pooler_hidden_act pooler_hidden_size pos_att_type "
    "position_biased_input position_buckets position_embedding_type postprocessor "
    "pretrained_adapter_weights pretrained_kwargs pretrained_model_name_or_path progressbar "
    "projection_prng_key projection_seed projection_size prompt_lookup_num_tokens qa_dropout qat r "
    "rank_pattern recurrent_activation recurrent_dropout recurrent_initializer reduce_output "
    "rejected_column relative_attention relative_attention_num_buckets relaxation_factor "
    "remove_invalid_values renormalize_logits repeat repetition_penalty "
    "resid_pdrop retrieval reuse_len rope_scaling rope_type "
    "same_length save_only_topk_weights save_projection scale_attn_weights "
    "scaling scheduler search_alg sep_token_id seq_classif_dropout sequence_bias "
    "sequence_length share_att_key should_embed should_softmax sinusoidal_pos_embds skip_first "
    "smooth stacked_layers start_n_top state_size str2idf strides "
    "summary_activation summary_last_dropout summary_type summary_use_proj suppress_tokens "
    "tabpfn_hidden_size target_modules target_r task teacher_forcing_decay teacher_forcing_decay_rate "
    "temperature template tfinal threshold_percentile time_budget_s timeseries_length_limit tinit "
    "tinylora_dropout tolerance_change tolerance_grad top_p topk total_step "
    "transformer_output_size trial_driver_resources type_vocab_size typical_p u unique "
    "unit_forget_bias unknown_symbol untie_r use_attention use_cache use_dora use_mems_eval "
    "use_mems_train use_rope use_rslora vblora_dropout vector_length "
    "vocab_file vocab_size wait warmup wavelet_family weight_tying "
    "window_length_in_s window_shift_in_s window_size window_type xi zeta ";

}  // namespace

bool is_other_name(std::string_view word) {
  return word.find(' ') == std::string_view::npos &&
         kOtherNames.find(" " + std::string(word) + " ") != std::string_view::npos;
}

}  // namespace shoestring::task
